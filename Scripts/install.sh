# Sourced by the other scripts: what a bare Debian 12 lacks. Swift itself is named, never installed.

swift_version=6.3.1
# To build beside the Swift toolchain, then what the tests and the daemon read at run time.
build_packages=(binutils libc6-dev libstdc++-12-dev libncurses6 libcurl4 libxml2 pkg-config
  libsqlite3-dev libssl-dev zlib1g-dev libarchive-dev libpng-dev libjpeg62-turbo-dev libwebp-dev)
run_packages=(dataset-fashion-mnist libjs-dygraphs curl ca-certificates jq)

say() { printf '%s\n' "$@"; }
fail() { printf '%s\n' "$@" >&2; exit 1; }

# Everything that building, testing and serving needs: installed, or else named.
prepare() {
  command -v swift >/dev/null || name_swift "Swift is not installed (or not in PATH)."
  need_packages "${build_packages[@]}" "${run_packages[@]}"
  # Only now: the compiler itself needs some of the packages.
  local found
  found=$(swift --version 2>&1 | sed -n 's/.*Swift version \([0-9]*\)\.\([0-9]*\).*/\1 \2/p') || true
  [ -n "$found" ] || fail "swift --version fails:" "$(swift --version 2>&1)"
  local major=${found% *} minor=${found#* }
  if [ "$major" -lt 6 ] || { [ "$major" -eq 6 ] && [ "$minor" -lt 2 ]; }; then
    name_swift "Swift $major.$minor is installed; 6.2 or later is needed."
  fi
}

# name_swift WHY: ends with the lines to type for a Swift that will do.
name_swift() {
  local platform=debian12
  [ "$(uname -m)" = aarch64 ] && platform=debian12-aarch64
  local name=swift-$swift_version-RELEASE-$platform
  local url=https://download.swift.org/swift-$swift_version-release/$platform/swift-$swift_version-RELEASE
  fail "$1 On Debian 12, as root:

  apt-get update && apt-get install -y curl ca-certificates
  curl -fLO $url/$name.tar.gz
  mkdir -p /opt/swift && tar xzf $name.tar.gz -C /opt/swift --strip-components=1
  export PATH=/opt/swift/usr/bin:\$PATH

Other systems: https://www.swift.org/install. Then run this again."
}

# optuna_python: prints a Python that has Optuna: PYTHON (default python3), or that of an environment in .build, which is
# made where it is missing. Where that fails it says why, and prints PYTHON all the same.
optuna_python() {
  local python=${PYTHON:-python3} environment=.build/optuna log
  if ! "$python" -c 'import optuna' 2>/dev/null; then
    log=$(mktemp)
    if (need_packages python3-venv >&2 && python3 -m venv "$environment" &&
      "$environment/bin/pip" install --quiet 'optuna>=5,<6') >"$log" 2>&1; then
      python=$environment/bin/python
    else
      say "Optuna could not be installed, so that its tests are skipped:" "$(tail -n 3 "$log")" >&2
    fi
    rm -f "$log"
  fi
  say "$python"
}

# need_packages NAME…: installs those that are missing when root; else ends with the command to type.
need_packages() {
  command -v dpkg-query >/dev/null || {
    say "Not a Debian: going on in the hope that the likes of these are installed: $*" >&2
    return
  }
  local package missing=()
  for package in "$@"; do
    dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed ||
      missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  [ "$(id -u)" -eq 0 ] || fail "Packages are missing. Install them and run this again:

  sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing[*]}"
  say "Installing ${missing[*]}"
  local log
  log=$(mktemp)
  if ! { apt-get update && DEBIAN_FRONTEND=noninteractive \
    apt-get install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    rm -f "$log"
    fail "apt-get could not install ${missing[*]}"
  fi
  rm -f "$log"
}
