# capture/capture_reader_pcapng.c: a packet may claim more than its block has room for
s/|| len > body.n - 20)/)/
