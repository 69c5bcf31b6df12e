# dataplane/vhost/queues.c: only half of a descriptor table has to lie in the guest's memory
s/addr\.desc, 16 \* size, 16/addr.desc, 8 * size, 16/
