#!/usr/bin/env bash
# Headless Chromium for tests/browser, from Debian's packages, where this user may install them.
# Without it these tests are skipped, with that reason.
set -euo pipefail
for name in chromium chromium-browser google-chrome; do
  if command -v "$name" >/dev/null; then
    echo "browser tests: $(command -v "$name")"
    exit 0
  fi
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  if apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; then
    echo "browser tests: $(command -v chromium)"
    exit 0
  fi
  echo "browser tests will be skipped: apt-get could not install chromium" >&2
else
  echo "browser tests will be skipped: no Chromium, and no right to install it with apt-get" >&2
fi
