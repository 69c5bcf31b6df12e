# dataplane/vhost/ring_packed.c: what a journal says of a chain is believed
s/slots == 0 || slots > ring->size/false/
