# dataplane/vhost/ring_chain.c: a `next` beyond the table is followed
s/desc\.next >= table\.size/false/
