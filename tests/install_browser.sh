#!/bin/sh
# Chromium and fonts for the browser tests. Installs only as root on Debian; never fails.
how="Browser tests need Chromium at /usr/bin/chromium. On Debian: sudo apt-get install chromium fonts-dejavu fonts-noto-core"

[ -x /usr/bin/chromium ] && exit 0
if [ "$(id -u)" -eq 0 ] && [ -f /etc/debian_version ] && command -v apt-get >/dev/null; then
    echo "Installing Chromium and fonts for the browser tests"
    export DEBIAN_FRONTEND=noninteractive
    if ! { apt-get update -qq &&
           apt-get install -y -qq --no-install-recommends chromium fonts-dejavu fonts-noto-core; } >/dev/null; then
        echo "Chromium could not be installed. $how"
    fi
else
    echo "$how"
fi
exit 0
