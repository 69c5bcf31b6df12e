# dataplane/guard_parse.c: UDP without ports is taken for nothing
/^static enum guard_kind parse_udp/,/^}/s/GUARD_UNREADABLE/GUARD_PLAIN/
