<?php
// A script of its own, whatever path info stands behind its name.
require __DIR__ . '/../answer.php';

answer('export', $_SERVER['SCRIPT_NAME']);
