/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TLS for a listener beyond this host: mutual, or nothing. A client whose certificate the CA did
 * not sign is gone before it can send a byte of HTTP. Runs on weftd's thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <microhttpd.h>

#include "control/roles.h"

#define HTTP_TLS_OPTIONS_MAX 5

/* PEM texts. */
struct http_tls {
	char *cert, *key; /* ours */
	char *ca;	  /* that signs the certificates of clients */
};

/* Reads the three files and checks that they fit together; all three are needed. 0 or -errno with
 * one line in `why`. */
int http_tls_read(struct http_tls *tls, const char *cert_path, const char *key_path,
		  const char *ca_path, char *why, size_t why_bytes);
void http_tls_fini(struct http_tls *tls); /* all zero is legal */

/* What libmicrohttpd is started with; tls NULL: nothing. */
void http_tls_options(const struct http_tls *tls,
		      struct MHD_OptionItem options[HTTP_TLS_OPTIONS_MAX]);

/* Before the handshake: no certificate, no connection. */
void http_tls_demand(struct MHD_Connection *connection);

/* The common name in the client's certificate. */
bool http_tls_name(struct MHD_Connection *connection, char name[ROLES_NAME_BYTES]);
