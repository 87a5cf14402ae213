# Sourced by app/run and tests/run: what the system must have, and building a preset.
# shellcheck shell=bash

vd_root=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")

vd_build_packages=(
    build-essential cmake ninja-build pkg-config ccache
    libgtk-3-dev libglib2.0-dev-bin libxml2-utils libcairo2-dev libpango1.0-dev
    libopencv-core-dev libopencv-imgproc-dev libopencv-dnn-dev libopencv-objdetect-dev libopencv-video-dev
    libavformat-dev libavcodec-dev libavdevice-dev libavutil-dev libswscale-dev libyuv-dev
    libconfig-dev libprotobuf-c-dev protobuf-c-compiler libdnnl-dev libsoup-3.0-dev libjansson-dev
)
vd_run_packages=(glib-networking adwaita-icon-theme librsvg2-common fonts-dejavu-core)
vd_test_packages=(
    check python3 python3-numpy ffmpeg curl openssl iproute2
    xvfb xauth dbus dbus-bin dbus-daemon at-spi2-core gir1.2-atspi-2.0 gir1.2-gtk-3.0 python3-gi
    xdotool imagemagick x11-utils openbox
    libgstrtspserver-1.0-dev gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad
    gstreamer1.0-plugins-ugly gstreamer1.0-libav gstreamer1.0-x
)
# The page of the streaming interface is tested in a browser. Ubuntu has none as a package; node and npm may have come
# from elsewhere, and then the system's own would conflict with them.
if [ "$(. /etc/os-release 2>/dev/null && echo "${ID:-}")" = debian ]; then
    vd_test_packages+=(chromium)
fi
command -v node >/dev/null || vd_test_packages+=(nodejs)
command -v npm >/dev/null || vd_test_packages+=(npm)
# clang, and the runtime libraries (libFuzzer, sanitizers) of the version that the system's clang is.
vd_fuzz_packages=(clang "libclang-rt-$(
    case $(. /etc/os-release 2>/dev/null && echo "${ID:-}:${VERSION_ID:-}") in
    debian:13) echo 19 ;;
    ubuntu:24.04) echo 18 ;;
    *) echo 14 ;;
    esac
)-dev")

vd_say() {
    printf '%s\n' "$*" >&2
}

# The packages of the list that are not installed, one a line.
vd_missing() {
    local package
    declare -A there=()
    while read -r package state; do
        [ "$state" = ii ] && there[$package]=1
    done < <(dpkg-query -W -f '${Package} ${db:Status-Abbrev}\n' "$@" 2>/dev/null)
    for package in "$@"; do
        [ -n "${there[$package]:-}" ] || echo "$package"
    done
}

# True on the systems whose packages have these names.
vd_supported() {
    local system
    system=$(. /etc/os-release 2>/dev/null && echo "${ID:-}:${VERSION_ID:-}")
    case $system in
    debian:12 | debian:13 | ubuntu:24.04) command -v apt-get dpkg-query >/dev/null ;;
    *) return 1 ;;
    esac
}

vd_apt() {
    local command=(env DEBIAN_FRONTEND=noninteractive) name
    for name in http_proxy https_proxy no_proxy; do
        [ -n "${!name:-}" ] && command+=("$name=${!name}")
    done
    command+=(apt-get -o DPkg::Lock::Timeout=400 -o Dpkg::Options::=--force-confold -o Dpkg::Use-Pty=0)
    [ -t 2 ] && command+=(-q) || command+=(-qq)
    command+=("$@")
    if [ "$(id -u)" -eq 0 ]; then
        "${command[@]}" </dev/null
    elif [ -t 0 ]; then
        sudo "${command[@]}" </dev/null
    else
        sudo -n "${command[@]}" </dev/null
    fi
}

# vd_install WHY PACKAGE…: installs what is missing of the list, or says what to do and fails.
vd_install() {
    local why=$1 missing
    shift
    [ -n "${VEDETTE_NO_INSTALL:-}" ] && return 0
    if ! vd_supported; then
        vd_say "Vedette installs what it needs on Debian 12, Debian 13 and Ubuntu 24.04; this is another system."
        vd_say "Install what corresponds to these packages, then run this again with VEDETTE_NO_INSTALL=1:"
        vd_say "  $*"
        return 1
    fi
    mapfile -t missing < <(vd_missing "$@")
    [ "${#missing[@]}" -eq 0 ] && return 0
    vd_say "$why needs ${#missing[@]} more packages of the system; they are installed with apt-get:"
    vd_say "  ${missing[*]}"
    if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
        vd_say "That takes root, and there is no sudo. As root: apt-get install --no-install-recommends ${missing[*]}"
        return 1
    fi
    compgen -G '/var/lib/apt/lists/*Packages*' >/dev/null || vd_apt update >&2
    if ! vd_apt install -y --no-install-recommends "${missing[@]}" >&2; then
        vd_say "Once more, with the lists of packages brought up to date."
        if ! { vd_apt update && vd_apt install -y --no-install-recommends "${missing[@]}"; } >&2; then
            vd_say "The packages could not be installed. As root: apt-get install --no-install-recommends ${missing[*]}"
            return 1
        fi
    fi
}

# vd_configure PRESET [OPTION…]: only when the tree is new, was moved, or an option differs.
vd_configure() {
    local preset=$1 option cache=$vd_root/build/$1/CMakeCache.txt log=$vd_root/build/$1.log
    shift
    if [ -f "$cache" ] && ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$vd_root" "$cache"; then
        rm -rf "${vd_root:?}/build/$preset"
    fi
    if [ -f "$vd_root/build/$preset/build.ninja" ]; then
        for option in "$@"; do
            option=${option#-D}
            grep -qE "^${option%%=*}:[A-Z]+=${option#*=}\$" "$cache" || break
            option=
        done
        [ -z "${option:-}" ] && return 0
    fi
    if ! (cd "$vd_root" && cmake --preset "$preset" "$@") >"$log" 2>&1; then
        tail -n 40 "$log" >&2
        vd_say "Configuring $preset failed; the whole output is in build/$preset.log."
        return 1
    fi
}

# vd_build PRESET TARGET [OPTION…]: configures and builds; one build at a time in this clone.
vd_build() {
    local preset=$1 target=$2
    shift 2
    mkdir -p "$vd_root/build" || return 1
    (
        flock 9 || exit 1
        vd_configure "$preset" "$@" || exit 1
        cd "$vd_root/build/$preset" || exit 1
        if [ -t 2 ]; then
            ninja "$target" 9>&-
        else # no progress in a pipe
            ninja --quiet "$target" 9>&- | { grep -vx 'ninja: no work to do.' || true; }
            exit "${PIPESTATUS[0]}"
        fi
    ) 9>"$vd_root/build/.lock" >&2
}

# True when a program that opens a window would find a display.
vd_has_display() {
    local display=${DISPLAY:-} host number
    if [ -n "${WAYLAND_DISPLAY:-}" ]; then
        [ -S "${XDG_RUNTIME_DIR:-/nowhere}/$WAYLAND_DISPLAY" ] || [ -S "$WAYLAND_DISPLAY" ] && return 0
    fi
    [ -n "$display" ] || return 1
    host=${display%:*} number=${display##*:} number=${number%%.*}
    [[ $number =~ ^[0-9]+$ ]] || return 1
    case $host in
    '' | unix) [ -S "/tmp/.X11-unix/X$number" ] || grep -q "@/tmp/.X11-unix/X$number\$" /proc/net/unix ;;
    *) timeout 2 bash -c 'exec 3<>"/dev/tcp/$1/$2"' - "$host" "$((6000 + number))" 2>/dev/null ;;
    esac
}
