#!/bin/sh
# Installs Gatelodge from an archive, for this user and without root:
#
#   sh install.sh --from FILE|URL [--to DIRECTORY] [--sha256 SUM] [--no-path]
#
# The archive is compared with SHA256SUMS, which lies beside it, or with SUM. Nothing is written before
# that. DIRECTORY is ~/.local unless it is named; the program comes into its bin. If that is not in PATH, a
# line in the startup file of your shell puts it there, unless --no-path or --to is said.
set -eu

fail() {
    echo "install.sh: $1" >&2
    exit 1
}

usage() {
    sed -n '2,8s/^# \{0,1\}//p' "$0" >&2
    exit 2
}

from= to=${HOME:-}/.local sum= named_by_shell=yes
while [ $# -gt 0 ]; do
    case $1 in
        --from | --to | --sha256) [ $# -gt 1 ] || usage ;;
        --no-path) named_by_shell= && shift && continue ;;
        *) usage ;;
    esac
    case $1 in
        --from) from=$2 ;;
        --to) to=$2 named_by_shell= ;;
        --sha256) sum=$2 ;;
    esac
    shift 2
done
[ -n "$from" ] && [ -n "$to" ] || usage
case $from in -*) from=./$from ;; esac
[ "$to" != /.local ] || fail "HOME is not set: name a directory by --to"
case $to in *[[:cntrl:]]*) fail "no service file can have the path $to" ;; esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
archive=$work/archive.tar.gz

# Brings a file here, by whatever is on this machine.
fetch() {
    case $1 in
        https://* | http://*)
            if command -v curl >/dev/null 2>&1; then
                curl ${secure:+--proto '=https'} --fail --silent --show-error --location --output "$2" "$1"
            elif command -v wget >/dev/null 2>&1; then
                # It would follow a redirect to http, and that of busybox, which has no such option,
                # takes any certificate: without a sum neither may.
                [ -n "$sum" ] || set -- "$@" --max-redirect=0
                wget --quiet --output-document="$2" "$1" ${3+"$3"}
            else
                fail "neither curl nor wget is here: fetch $1 yourself, and name the file"
            fi
            ;;
        *) cp "$1" "$2" ;;
    esac
}

# What comes by https stays there, also where it is sent on to another place.
secure=
case $from in
    https://*) secure=yes ;;
esac
case $from in
    https://*) echo "fetching $from" ;;
    http://*)
        [ -n "$sum" ] || fail "over http anybody on the way can change both: name the sum by --sha256"
        echo "fetching $from"
        ;;
    *) [ -f "$from" ] || fail "there is no file $from" ;;
esac
fetch "$from" "$archive" || fail "cannot have $from"

if [ -z "$sum" ]; then
    case $from in
        https://*) path=${from%%[?#]*} name=$(basename "$path" | sed 's/%20/ /g') ;;
        *) path=$from name=$(basename "$path") ;;
    esac
    place=$(dirname "$path")/SHA256SUMS
    fetch "$place" "$work/SHA256SUMS" || fail "there is no $place: name the sum by --sha256"
    # A sum, a blank, a blank or a star, and the name, in which there may be blanks too.
    sum=$(name=$name awk '{ sub(/\r$/, "") } substr($0, 67) == ENVIRON["name"] { print $1 }' \
        "$work/SHA256SUMS")
    [ -n "$sum" ] || fail "$place says nothing of $name"
fi
if command -v sha256sum >/dev/null 2>&1; then
    found=$(sha256sum "$archive")
else
    found=$(shasum -a 256 "$archive")
fi
found=${found%% *}
sum=$(echo "$sum" | tr 'A-F' 'a-f')
[ "$found" = "$sum" ] || fail "$from is not what it should be: its SHA-256 is $found, and not $sum"
echo "the SHA-256 is right: $sum"

mkdir "$work/unpacked"
tar -xzf "$archive" -C "$work/unpacked" || fail "$from is no archive"
tree=$(echo "$work"/unpacked/gatelodge-*)
[ -f "$tree/bin/gatelodge" ] || fail "$from has no bin/gatelodge"
"$tree/bin/gatelodge" version >/dev/null || fail "the program does not run on this machine"

# systemd looks below /usr and /usr/local for the service of the machine, and nowhere else.
case $to in
    /usr | /usr/local) parts="share lib" ;;
    *) parts=share ;;
esac
mkdir -p "$to/bin"
to=$(cd "$to" && pwd)
[ ! -d "$to/bin/gatelodge" ] || fail "$to/bin/gatelodge is a directory"
cd "$tree"
# Every directory first, and the program last: where one cannot be made, what is there stays whole.
# One that is a link to another stays a link.
# shellcheck disable=SC2086 # one word each
find $parts -type d | while IFS= read -r part; do
    mkdir -p "$to/$part" || fail "cannot make the directory $to/$part"
done
# The files of the services name the program where it is now.
named=$(printf '%s' "$to/bin/gatelodge" | sed 's/%/%%/g; s/[\\"]/\\&/g')
for unit in share/systemd/user/gatelodge.service lib/systemd/system/gatelodge.service; do
    named=$named awk '
        /^ExecStart=/ { sub(/^[^ ]*/, ""); $0 = "ExecStart=\"" ENVIRON["named"] "\"" $0 }
        { print }' "$unit" >"$work/unit"
    mv "$work/unit" "$unit"
done
escaped=$(printf '%s' "$to/bin/gatelodge" | sed 's/&/\&amp;/g; s/</\&lt;/g; s/>/\&gt;/g')
named=$escaped awk '
    /<string>.*\/bin\/gatelodge</ { $0 = "        <string>" ENVIRON["named"] "</string>" }
    { print }' share/doc/gatelodge/gatelodge.plist >"$work/job"
mv "$work/job" share/doc/gatelodge/gatelodge.plist
# shellcheck disable=SC2086 # one word each
find $parts -type f | while IFS= read -r part; do
    rm -f "$to/$part" && cp "$part" "$to/$part" || fail "cannot write $to/$part"
done
# A program that runs goes on with its own file.
rm -f "$to/bin/.gatelodge.new"
cp bin/gatelodge "$to/bin/.gatelodge.new"
mv -f "$to/bin/.gatelodge.new" "$to/bin/gatelodge"
echo "installed $("$to/bin/gatelodge" version)"
echo "  $to/bin/gatelodge"
echo "  $to/share: manual pages, completions, licences, services"

# Has a new terminal find the program: says where, or fails if it is not known what a terminal reads.
put_in_path() {
    case $to in
        *[!A-Za-z0-9/._-]*) return 1 ;;
    esac
    line="export PATH=\"$to/bin:\$PATH\""
    case $(uname):${SHELL:-} in
        Darwin:*/bash) add_line "$(login_file)" ;;
        # A login shell, as over ssh, reads its own file, which mostly reads this one too.
        *:*/bash)
            add_line "$HOME/.bashrc" || return 1
            grep -qs bashrc "$(login_file)" || add_line "$(login_file)"
            ;;
        *:*/zsh) add_line "${ZDOTDIR:-$HOME}/.zshrc" ;;
        *:*/fish)
            line="fish_add_path $to/bin"
            mkdir -p "${XDG_CONFIG_HOME:-$HOME/.config}/fish/conf.d" || return 1
            add_line "${XDG_CONFIG_HOME:-$HOME/.config}/fish/conf.d/gatelodge.fish"
            ;;
        *) return 1 ;;
    esac
}

# The file that a login shell of bash reads: the first of these that is there.
login_file() {
    for startup in .bash_profile .bash_login .profile; do
        [ ! -f "$HOME/$startup" ] || break
    done
    echo "$HOME/$startup"
}

# Adds the line to a file that a shell reads, once.
add_line() {
    if ! grep -qsxF "$line" "$1"; then
        [ ! -d "$1" ] || return 1
        # The last line may have no end.
        [ ! -s "$1" ] || [ -z "$(tail -c 1 "$1")" ] || echo >>"$1" || return 1
        printf '%s\n' "$line" >>"$1" || return 1
    fi
    echo "a line in $1 has new terminals find it"
}

case :$PATH: in
    *:"$to/bin":* | *:"$to/bin/":*) echo "start it: gatelodge" ;;
    *)
        if [ -n "$named_by_shell" ] && put_in_path; then
            echo "start it in a new terminal: gatelodge"
            echo "or in this one: $to/bin/gatelodge"
        else
            echo "start it: $to/bin/gatelodge"
            echo "a shell finds it by its name with: export PATH=\"$to/bin:\$PATH\""
        fi
        ;;
esac
