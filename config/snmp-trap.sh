#!/bin/sh
# SNMP traps from keepstate's alarms, with net-snmp's snmptrap (Debian: apt install snmp).
#
#   alert {
#       exec "/usr/lib/keepstate/snmp-trap.sh 192.0.2.50 public"
#       on role problem
#   }
#
# Role changes of instances and groups are the notifications of KEEPALIVED-MIB that keepalived
# sends (vrrpInstanceStateChange, vrrpSyncGroupStateChange); everything else is a trap of
# NET-SNMP-EXAMPLES-MIB with the sentence in it. snmptrap gives no answer, so that a trap can be
# lost on its way: "snmpinform" in its place waits for the receiver, and keepstate tries again.
set -eu
receiver=$1
community=${2:-public}
mib=.1.3.6.1.4.1.9586.100.5

send() {
    snmptrap -v 2c -c "$community" "$receiver" '' "$@"
}

# INTEGER values of the MIB: init 0, backup 1, master 2, fault 3, unknown 4.
number() {
    case $1 in
    INIT) echo 0 ;;
    BACKUP) echo 1 ;;
    MASTER) echo 2 ;;
    FAULT) echo 3 ;;
    *) echo 4 ;;
    esac
}

case "$KEEPSTATE_ALERT_KIND ${KEEPSTATE_ALERT_UNIT:-}" in
'role instance')
    # Its index is that of keepalived's table, which nobody has here: 0. unknown(4) as initial
    # state.
    send $mib.2.10.0.2 \
        $mib.2.3.1.2.0 s "$KEEPSTATE_ALERT_NAME" \
        $mib.2.3.1.4.0 i "$(number "$KEEPSTATE_ALERT_TO")" \
        $mib.2.3.1.5.0 i 4 \
        $mib.1.2.0 s "$KEEPSTATE_ALERT_NODE"
    ;;
'role group')
    send $mib.2.10.0.1 \
        $mib.2.1.1.2.0 s "$KEEPSTATE_ALERT_NAME" \
        $mib.2.1.1.3.0 i "$(number "$KEEPSTATE_ALERT_TO")" \
        $mib.1.2.0 s "$KEEPSTATE_ALERT_NODE"
    ;;
*)
    send .1.3.6.1.4.1.8072.2.3.0.1 .1.3.6.1.4.1.8072.2.3.2.2.0 s "$KEEPSTATE_ALERT_TEXT"
    ;;
esac
