/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The OpenAPI file, made of what weftd itself runs on: the routes, the option tables of the port
 * kinds, the codes of problems. What has no table, the bodies, is in openapi_schemas.json. Pure.
 */
#pragma once

#include <jansson.h>

#include "control/http.h"

/* New reference; NULL: no memory. */
json_t *openapi_make(const struct http_route *routes, size_t n_routes);
