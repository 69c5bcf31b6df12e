/* SPDX-License-Identifier: BSD-3-Clause */
/* The descriptors that go to the dataplane with a port. */
#include "control/device_fds.h"

#include <unistd.h>

void device_fds_close(const struct device_fds *fds)
{
	for (unsigned int i = 0; i < fds->n; i++)
		close(fds->fds[i]);
}
