package dev.hapax.examples.gameday;

import dev.hapax.examples.gameday.Schedule.Planned;
import dev.hapax.examples.stage.Progress;
import dev.hapax.examples.stage.Role;
import dev.hapax.examples.stage.RunException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** Lets the scheduled faults happen, one after another: none begins before the one before has been got over. Used by one thread; what it tells may be asked by any. */
final class Faults {
    /** How long a recovery may take; after that it counts as none. */
    static final Duration PATIENCE = Duration.ofSeconds(60);

    private static final Duration STEADY_PATIENCE = Duration.ofSeconds(15);
    private static final long LOOK_MILLIS = 50;
    private static final double BEHIND_SECONDS_MAX = 0.3;

    private final GameDayPlan plan;
    private final Site site;
    private final Progress progress;
    private final Meter meter;
    private final long startNanos;
    private final RewindFaults rewinds;
    private final List<Incident> incidents = new ArrayList<>();
    private volatile String state = "calm";

    Faults(GameDayPlan plan, Site site, Progress progress, Meter meter, long startNanos) {
        this.plan = plan;
        this.site = site;
        this.progress = progress;
        this.meter = meter;
        this.startNanos = startNanos;
        this.rewinds = new RewindFaults(site);
    }

    /**
     * Goes through the schedule, until it or the time is at its end.
     *
     * @return what has happened
     */
    List<Incident> run(Schedule schedule) throws InterruptedException {
        for (Planned planned : schedule.faults()) {
            sleepUntil(planned.at());
            awaitSteady();
            if (hasTimeFor(planned.kind())) {
                state = planned.kind().flag();
                Struck struck = strike(planned);
                state = "after " + planned.kind().flag();
                incidents.add(await(planned.kind(), struck));
                state = "calm";
            }
        }
        sleepUntil(plan.time());
        return List.copyOf(incidents);
    }

    private boolean hasTimeFor(FaultKind kind) {
        Duration over =
                sinceStart(System.nanoTime()).plusSeconds(kind.seconds()).plus(Schedule.CALM_AFTER);
        return over.compareTo(plan.time()) <= 0;
    }

    private void sleepUntil(Duration at) throws InterruptedException {
        while (sinceStart(System.nanoTime()).compareTo(at) < 0) {
            progress.check();
            site.fleet().check();
            TimeUnit.MILLISECONDS.sleep(LOOK_MILLIS);
        }
    }

    private Duration sinceStart(long nanos) {
        return Duration.ofNanos(nanos - startNanos);
    }

    /** A client that still catches up would make the next fault look worse than it is. */
    private void awaitSteady() throws InterruptedException {
        long deadline = System.nanoTime() + STEADY_PATIENCE.toNanos();
        while (behindSeconds() > BEHIND_SECONDS_MAX && System.nanoTime() - deadline < 0) {
            progress.check();
            TimeUnit.MILLISECONDS.sleep(LOOK_MILLIS);
        }
    }

    private double behindSeconds() {
        double due = sinceStart(System.nanoTime()).toNanos() / 1e9;
        return due - (double) site.customer().traffic().begun() / plan.load().rate();
    }

    private Struck strike(Planned planned) throws InterruptedException {
        try {
            return strikeNow(planned);
        } catch (InterruptedException | RunException own) {
            throw own;
        } catch (Exception failure) {
            throw new RunException(
                    "the fault " + planned.kind().flag() + " could not be brought about: " + failure.getMessage(),
                    failure);
        }
    }

    private Struck strikeNow(Planned planned) throws Exception {
        ProcessFaults processes = new ProcessFaults(site.fleet());
        NetworkFaults network = new NetworkFaults(site.network(), site.fleet());
        DatabaseFaults database = new DatabaseFaults(site.database());
        return switch (planned.kind()) {
            case KILL_SHOP -> processes.kill(Role.SHOP, planned.random());
            case KILL_BILLING -> processes.kill(Role.BILLING, planned.random());
            case STOP_SHOP -> processes.stop(Role.SHOP, planned.random());
            case STOP_BILLING -> processes.stop(Role.BILLING, planned.random());
            case CLOCK_SKEW -> processes.skew(planned.random());
            case LATENCY -> network.latency(planned.random());
            case CUT -> network.cut(planned.random());
            case CUT_COMMIT -> network.cutCommit();
            case HALF_OPEN -> network.halfOpen(planned.random());
            case KILL_DATABASE -> database.kill();
            case RESTART_DATABASE -> database.restart();
            case TERMINATE_BACKENDS -> database.terminate();
            case OUT_OF_CONNECTIONS -> database.takeConnections(site.network());
            case DISK_FULL -> database.fillDisk(Objects.requireNonNull(site.disk()));
            case IDLE_TRANSACTION -> database.idleTransaction();
            case REDELIVERY_STORM ->
                new Storm(site.customer(), progress, plan.load().rate()).redeliver(planned.seed());
            case FAILOVER -> rewinds.failOver();
            case RESTORE -> rewinds.restore();
        };
    }

    private Incident await(FaultKind kind, Struck struck) throws InterruptedException {
        double rate =
                Recovery.rateBefore(meter.samples(), struck.begin(), plan.load().rate());
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        Optional<Duration> recovery = Recovery.of(meter.samples(), struck.end(), rate);
        while (recovery.isEmpty() && System.nanoTime() - deadline < 0) {
            progress.check();
            site.fleet().check();
            TimeUnit.MILLISECONDS.sleep(LOOK_MILLIS);
            recovery = Recovery.of(meter.samples(), struck.end(), rate);
        }
        return new Incident(
                kind,
                struck.hit(),
                sinceStart(struck.begin()),
                Duration.ofNanos(struck.end() - struck.begin()),
                recovery);
    }

    /** What is going on, in a few words. */
    String state() {
        return state;
    }
}
