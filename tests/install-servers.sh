#!/bin/sh
# Installs what the end-to-end tests run as private instances: Dovecot and Postfix, and systemd-analyze for the units.
#
# As root on Debian and its kin it installs what is missing; anywhere else it says what to install and fails. No
# service is left running or enabled: the tests start their own, on loopback, with their own files.
set -eu

PATH="$PATH:/usr/sbin:/sbin"

missing() {
    [ -x /usr/lib/dovecot/imap ] || [ -x /usr/libexec/dovecot/imap ] || echo dovecot-imapd
    [ -x /usr/lib/dovecot/lmtp ] || [ -x /usr/libexec/dovecot/lmtp ] || echo dovecot-lmtpd
    command -v postfix >/dev/null || echo postfix
    [ "$(uname)" != Linux ] || command -v systemd-analyze >/dev/null || echo systemd
    # SQLite and ring are compiled from source.
    command -v cc >/dev/null || echo gcc libc6-dev
}

packages=$(missing | tr '\n' ' ')
[ -n "$packages" ] || exit 0

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    cat >&2 <<SAY
The end-to-end tests need: $packages
    Debian, Ubuntu:  sudo apt-get install $packages
    Fedora:          sudo dnf install dovecot postfix
    Arch:            sudo pacman -S dovecot postfix
They run private instances; the system services may stay off. Without them: cargo test, which says what it left out.
SAY
    exit 1
fi

# Unpacking a mail server starts it; this is the switch against that (invoke-rc.d(8)).
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    trap 'rm -f "$policy"' EXIT
    trap 'exit 1' INT TERM
fi

export DEBIAN_FRONTEND=noninteractive
if command -v debconf-set-selections >/dev/null; then
    echo 'postfix postfix/main_mailer_type select No configuration' | debconf-set-selections
fi
apt() { apt-get -q -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@" </dev/null; }
apt update
# shellcheck disable=SC2086 # a list of words
apt install -y --no-install-recommends $packages

if [ -d /run/systemd/system ]; then
    for service in dovecot postfix; do
        case " $packages" in *" $service"*) systemctl disable --now "$service" >/dev/null 2>&1 || true ;; esac
    done
fi

still=$(missing | tr '\n' ' ')
[ -z "$still" ] || { echo "still missing after the installation: $still" >&2; exit 1; }
