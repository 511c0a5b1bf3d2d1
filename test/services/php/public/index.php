<?php
// The front controller: gets path info behind its own name, and every path for which there is no file.
require __DIR__ . '/../answer.php';

$path = $_SERVER['PATH_INFO'] ?? urldecode(parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH) ?: '/');
$first = explode('/', $path)[1] ?? '';
$protected = ['admin', 'bank', 'keys', 'transfers'];
answer($path === '/reports/export' ? 'report' : (in_array($first, $protected, true) ? $first : 'open'), $path);
