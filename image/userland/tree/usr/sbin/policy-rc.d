#!/bin/sh
# Nothing starts because it was installed: services are service.define's (invoke-rc.d(8): 101 forbids).
exit 101
