# control/http.c: a name of any length is copied
s/len == 0 || len >= NAME_BYTES/len == 0/
