<?php
function answer(string $handler, string $path): void
{
    $served = [
        'handler' => $handler,
        'path' => $path,
        'method' => $_SERVER['REQUEST_METHOD'],
        'target' => $_SERVER['REQUEST_URI'],
        'subject' => $_SERVER['HTTP_X_AUTH_SUBJECT'] ?? null,
    ];
    $flags = JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE;
    file_put_contents('php://stdout', json_encode(['event' => 'served'] + $served, $flags) . "\n");
    header('Content-Type: application/json');
    echo json_encode($served, $flags);
}
