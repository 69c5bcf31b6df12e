/* SPDX-License-Identifier: BSD-3-Clause */
/* Mutual TLS, with what GnuTLS gives libmicrohttpd. Runs on weftd's thread. */
#include "control/http_tls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#define FILE_BYTES_MAX (256u * 1024)
#define PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

static int read_file(const char *flag, const char *path, char **text, char *why, size_t why_bytes)
{
	size_t len = 0;
	ssize_t n = -1;
	int error = 0;

	if (path == NULL) {
		snprintf(why, why_bytes, "--listen needs %s too: there is no plain TCP", flag);
		return -EINVAL;
	}
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	*text = fd >= 0 ? malloc(FILE_BYTES_MAX) : NULL;
	while (*text != NULL && len < FILE_BYTES_MAX - 1 &&
	       (n = read(fd, *text + len, FILE_BYTES_MAX - 1 - len)) > 0)
		len += (size_t)n;
	if (n != 0)
		error = n > 0 ? -EFBIG : -errno;
	if (error < 0)
		snprintf(why, why_bytes, "%s %s: %s", flag, path, strerror(-error));
	else
		(*text)[len] = '\0';
	if (fd >= 0)
		close(fd);
	return error;
}

/* libmicrohttpd would only say that it does not start. */
static int check_fit(const struct http_tls *tls, char *why, size_t why_bytes)
{
	gnutls_certificate_credentials_t credentials;
	gnutls_datum_t cert = {(unsigned char *)tls->cert, (unsigned int)strlen(tls->cert)};
	gnutls_datum_t key = {(unsigned char *)tls->key, (unsigned int)strlen(tls->key)};
	gnutls_datum_t ca = {(unsigned char *)tls->ca, (unsigned int)strlen(tls->ca)};
	int error = 0;

	if (gnutls_certificate_allocate_credentials(&credentials) < 0)
		return -ENOMEM;
	int code =
		gnutls_certificate_set_x509_key_mem(credentials, &cert, &key, GNUTLS_X509_FMT_PEM);
	if (code < 0) {
		snprintf(why, why_bytes, "--tls-cert and --tls-key: %s", gnutls_strerror(code));
		error = -EINVAL;
	} else if (gnutls_certificate_set_x509_trust_mem(credentials, &ca, GNUTLS_X509_FMT_PEM) <=
		   0) {
		snprintf(why, why_bytes, "--tls-ca: no certificate in it (PEM)");
		error = -EINVAL;
	}
	gnutls_certificate_free_credentials(credentials);
	return error;
}

int http_tls_read(struct http_tls *tls, const char *cert_path, const char *key_path,
		  const char *ca_path, char *why, size_t why_bytes)
{
	int error = read_file("--tls-cert", cert_path, &tls->cert, why, why_bytes);

	if (error == 0)
		error = read_file("--tls-key", key_path, &tls->key, why, why_bytes);
	if (error == 0)
		error = read_file("--tls-ca", ca_path, &tls->ca, why, why_bytes);
	return error == 0 ? check_fit(tls, why, why_bytes) : error;
}

void http_tls_fini(struct http_tls *tls)
{
	if (tls->key != NULL)
		explicit_bzero(tls->key, strlen(tls->key));
	free(tls->cert);
	free(tls->key);
	free(tls->ca);
	*tls = (struct http_tls){0};
}

void http_tls_options(const struct http_tls *tls,
		      struct MHD_OptionItem options[HTTP_TLS_OPTIONS_MAX])
{
	void *priorities = (void *)(uintptr_t)PRIORITIES; /* which it does not write to */
	size_t n = 0;

	if (tls != NULL) {
		options[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0, tls->cert};
		options[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, tls->key};
		options[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_TRUST, 0, tls->ca};
		options[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_PRIORITIES, 0, priorities};
	}
	options[n] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
}

static gnutls_session_t session_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);

	return info != NULL ? info->tls_session : NULL;
}

void http_tls_demand(struct MHD_Connection *connection)
{
	gnutls_session_t session = session_of(connection);

	gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUIRE);
	/* A chain that does not end at our CA, or is out of date, ends the handshake. */
	gnutls_session_set_verify_cert(session, NULL, 0);
}

bool http_tls_name(struct MHD_Connection *connection, char name[ROLES_NAME_BYTES])
{
	gnutls_session_t session = session_of(connection);
	gnutls_typed_vdata_st purpose = {
		.type = GNUTLS_DT_KEY_PURPOSE_OID,
		.data = (unsigned char *)(uintptr_t)GNUTLS_KP_TLS_WWW_CLIENT,
	};
	unsigned int n_certs = 0, status = 1;
	size_t bytes = ROLES_NAME_BYTES;
	gnutls_x509_crt_t cert;

	/* The handshake saw to the chain; a server's certificate must not speak as a client. */
	if (session == NULL || gnutls_certificate_verify_peers(session, &purpose, 1, &status) < 0 ||
	    status != 0)
		return false;
	const gnutls_datum_t *certs = gnutls_certificate_get_peers(session, &n_certs);
	if (certs == NULL || n_certs == 0 || gnutls_x509_crt_init(&cert) < 0)
		return false;
	int error = gnutls_x509_crt_import(cert, &certs[0], GNUTLS_X509_FMT_DER);
	if (error == 0)
		error = gnutls_x509_crt_get_dn_by_oid(cert, GNUTLS_OID_X520_COMMON_NAME, 0, 0, name,
						      &bytes);
	gnutls_x509_crt_deinit(cert);
	/* A NUL inside would make one name look like another. */
	return error == 0 && bytes > 0 && strlen(name) == bytes;
}
