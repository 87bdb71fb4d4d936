package dev.hapax.examples.gameday;

import java.util.Arrays;
import java.util.Optional;

/** What can go wrong on a game day. The names are what a person types, and stay. */
enum FaultKind {
    KILL_SHOP("kill-shop", 1, "A shop process is killed (SIGKILL) while it takes orders, and started again."),
    KILL_BILLING(
            "kill-billing",
            1,
            "A billing process is killed (SIGKILL); another takes over its part when its lease ends."),
    STOP_SHOP(
            "stop-shop",
            5,
            "A shop process stands still (SIGSTOP) for longer than any lease, then goes on as if nothing had been (SIGCONT)."),
    STOP_BILLING(
            "stop-billing",
            5,
            "A billing process stands still for longer than its lease; when it goes on, others have its part."),
    CLOCK_SKEW("clock-skew", 6, "A process runs with a clock that is an hour wrong, ahead or behind."),
    LATENCY("latency", 3, "The network to the database is slow: 20 to 40 ms each way."),
    CUT("cut", 2, "The network to the database is cut: connections break, and no new ones are taken for a while."),
    CUT_COMMIT(
            "cut-commit",
            3,
            "Connections break when COMMIT has been sent, before its answer: nobody knows whether it took effect."),
    HALF_OPEN(
            "half-open",
            5,
            "The network swallows what is sent and tells nobody: both ends believe in their connections."),
    KILL_DATABASE(
            "kill-database", 2, "The database's server and all its processes are killed (SIGKILL) in mid-traffic."),
    RESTART_DATABASE("restart-database", 1, "The database's server is restarted, as for an upgrade."),
    TERMINATE_BACKENDS("terminate-backends", 1, "All sessions are ended by an operator (pg_terminate_backend)."),
    OUT_OF_CONNECTIONS(
            "out-of-connections",
            4,
            "All sessions end, and somebody else takes every connection that the database allows."),
    DISK_FULL("disk-full", 3, "The database's disk is full: nothing can be written that needs more room."),
    IDLE_TRANSACTION(
            "idle-transaction", 3, "Somebody leaves a transaction open that has written: no snapshot gets past it."),
    REDELIVERY_STORM(
            "redelivery-storm",
            5,
            "Every order line of the last seconds is delivered ten times more, shuffled, beside the fresh ones."),
    FAILOVER(
            "failover",
            6,
            "The primary dies, and a standby takes its place that lacks the last commits; the client asks for them again, and an operator says go."),
    RESTORE(
            "restore",
            4,
            "The database is lost and restored from a backup that lacks the last commits; the client asks for them again, and an operator says go.");

    private final String flag;
    private final int seconds;
    private final String sentence;

    FaultKind(String flag, int seconds, String sentence) {
        this.flag = flag;
        this.seconds = seconds;
        this.sentence = sentence;
    }

    /** What it is called on the command line and in reports. */
    String flag() {
        return flag;
    }

    /** What happens, in one sentence. */
    String sentence() {
        return sentence;
    }

    /** About how long it takes until it is over, without the recovery. */
    int seconds() {
        return seconds;
    }

    static Optional<FaultKind> named(String flag) {
        return Arrays.stream(values()).filter(kind -> kind.flag.equals(flag)).findFirst();
    }
}
