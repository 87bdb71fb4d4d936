package dev.hapax.examples.gameday;

import dev.hapax.examples.stage.Fleet;
import dev.hapax.examples.stage.Role;
import java.time.Duration;
import java.util.random.RandomGenerator;

/** What happens to processes. */
final class ProcessFaults {
    /** Longer than a lease, and than a session may be idle in a transaction. */
    private static final Duration STANDSTILL = Duration.ofSeconds(4);

    private static final Duration SKEW = Duration.ofHours(1);
    private static final Duration SKEWED = Duration.ofSeconds(3);

    private final Fleet fleet;

    ProcessFaults(Fleet fleet) {
        this.fleet = fleet;
    }

    Struck kill(Role role, RandomGenerator random) throws Exception {
        int pick = random.nextInt();
        long since = System.nanoTime();
        String name = fleet.kill(role, pick);
        return new Struck(name, since, System.nanoTime());
    }

    Struck stop(Role role, RandomGenerator random) throws Exception {
        String name = fleet.atWork(role, random.nextInt());
        Fleet.Frozen frozen = fleet.freeze(name);
        return Struck.during(name, STANDSTILL, () -> {}, frozen::close);
    }

    Struck skew(RandomGenerator random) throws Exception {
        Role role = random.nextBoolean() ? Role.SHOP : Role.BILLING;
        boolean ahead = random.nextBoolean();
        String name = fleet.atWork(role, random.nextInt());
        return Struck.during(
                name + ", an hour " + (ahead ? "ahead" : "behind"),
                SKEWED,
                () -> {
                    fleet.restartWithClock(name, ahead ? SKEW : SKEW.negated());
                    fleet.awaitAtWork(name);
                },
                () -> fleet.restartWithClock(name, Duration.ZERO));
    }
}
