# control/problem.c: half a character goes into the answer
s/if (n == 0 || \*c < . . || \*c == 0x7f)/n = n == 0 ? 1 : n; if (*c < 32 || *c == 0x7f)/
