/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One run of one command: its words, its streams, and the steps that commands share: ask weftd,
 * print the answer, say what went wrong. Functions that return int return an exit code.
 */
#pragma once

#include <jansson.h>
#include <stdio.h>

#include "cli/args.h"
#include "cli/client.h"

enum call_exit {
	CALL_DONE = 0,
	CALL_FALSE = 1, /* the thing asked about is false */
	CALL_USAGE = 2,
	CALL_UNREACHABLE = 3,
	CALL_REFUSED = 4,
};

struct cmd;

struct call {
	const struct args *args;
	const struct cmd *cmd;
	int n_words;
	char **words; /* after the command's own */
	FILE *in, *out, *err;
};

/* One line on err, with the command's usage in it. CALL_USAGE. */
int call_usage(const struct call *call, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* One line on err. Returns `code`. */
int call_fail(const struct call *call, enum call_exit code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Runs the request; any HTTP answer is CALL_DONE and the caller's to release. */
int call_send(const struct call *call, const struct client_request *request,
	      struct client_answer *answer);

/* The same, once more for as long as weftd wants fewer requests (429). */
int call_send_patiently(const struct call *call, const struct client_request *request,
			struct client_answer *answer);

/*
 * CALL_REFUSED with the problem's detail on err unless the answer says success. With -o json the
 * problem itself goes to out.
 */
int call_check(const struct call *call, const struct client_answer *answer);

/* Parses the body. *json is the caller's on CALL_DONE. */
int call_parse(const struct call *call, const struct client_answer *answer, json_t **json);

/* All of these: *json is the body of a successful answer. */
int call_ask(const struct call *call, const struct client_request *request, json_t **json);
int call_ask_patiently(const struct call *call, const struct client_request *request,
		       json_t **json);
int call_get(const struct call *call, const char *path, json_t **json);

/* Whether -o asks for the answer as it is, JSON or YAML. */
bool call_is_raw(const struct call *call);

/* Prints the answer as it is, in the style of -o. */
int call_print_raw(const struct call *call, json_t *json);

/* One of many that come by and by, on a line of its own or as a document of YAML. false: for
 * people, and nothing was printed. */
bool call_print_one(const struct call *call, json_t *json);

/* Raw, or the array `key` of the answer as a table. */
int call_print_rows(const struct call *call, json_t *json, const char *key,
		    const struct print_column *columns, size_t n_columns);

/* Raw, or as lines "key  value". */
int call_print_object(const struct call *call, json_t *json);

/* Appends "?key=value" or "&key=value", escaped, to a path of CLIENT_PATH_BYTES. */
int call_add_query(const struct call *call, char *path, const char *key, const char *value);

/* Writes "PREFIX/NAME"; CALL_USAGE for what is no name. */
int call_name_path(const struct call *call, char path[CLIENT_PATH_BYTES], const char *prefix,
		   const char *name);
