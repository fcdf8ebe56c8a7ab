"""How each gateway is spoken: pure translators, requests to HTTP and HTTP to replies, no I/O."""
