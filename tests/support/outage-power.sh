#!/bin/sh
# The power of a simulated device: outage-power.sh on|again|off DIR PATUH NAMESPACE CLIENT
set -eu
case $1 in
off) kill -9 "$(cat "$2/pid")" ;;
on | again)
    again=
    [ "$1" = on ] || again=--restarted
    ip netns exec "$4" "$3" sim update "$5" --plan "$2/lab.toml" --key "$2/maker.pub" $again >"$2/device.log" 2>&1 </dev/null &
    echo $! >"$2/pid"
    ;;
esac
