/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The file of a deleted port's packed rings (journal.h). Its front-end does not know where they
 * stand, and may find a port of that name again; so the file stays for as long as the process does
 * that was attached. Main thread.
 */
#pragma once

#include <sys/types.h>

struct leftover;
struct loop;

/* Takes the file over, if there is one. pid: the front-end; 0: none is there, or the kernel does
 * not tell us, and the file goes at once. */
void leftover_add(struct leftover **list, struct loop *loop, const char *path, pid_t pid);
/* A port of that name is there again: the file is its own. */
void leftover_return(struct leftover **list, const char *path);
/* We end, front-ends do not: their files stay. */
void leftover_free_all(struct leftover **list);
