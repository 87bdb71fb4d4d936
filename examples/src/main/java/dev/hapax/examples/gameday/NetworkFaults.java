package dev.hapax.examples.gameday;

import dev.hapax.examples.stage.Fleet;
import dev.hapax.examples.stage.Role;
import dev.hapax.testkit.TcpProxy;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;

/** What happens to the network between the processes and the database: to one process's part of it, or to all of it. */
final class NetworkFaults {
    private static final Duration SLOW = Duration.ofMillis(20);
    private static final Duration SLOW_TIME = Duration.ofSeconds(3);
    private static final Duration CUT_TIME = Duration.ofSeconds(2);
    private static final Duration SILENCE = Duration.ofSeconds(5);
    private static final int COMMITS = 6;
    private static final long COMMITS_MILLIS_MAX = 3_000;

    private final Network network;
    private final Fleet fleet;

    NetworkFaults(Network network, Fleet fleet) {
        this.network = network;
        this.fleet = fleet;
    }

    /** Where it strikes. */
    private record Place(String name, List<TcpProxy> proxies) {
        void each(Consumer<TcpProxy> what) {
            proxies.forEach(what);
        }
    }

    private Place place(RandomGenerator random) throws InterruptedException {
        if (random.nextBoolean()) {
            return new Place("all processes", network.all());
        }
        String process = fleet.atWork(random.nextBoolean() ? Role.SHOP : Role.BILLING, random.nextInt());
        return new Place(process, List.of(network.before(process)));
    }

    Struck latency(RandomGenerator random) throws Exception {
        Place place = place(random);
        long seed = random.nextLong();
        return Struck.during(
                place.name(), SLOW_TIME, () -> place.each(proxy -> proxy.slow(SLOW, SLOW, seed)), () -> heal(place));
    }

    Struck cut(RandomGenerator random) throws Exception {
        Place place = place(random);
        return Struck.during(
                place.name(),
                CUT_TIME,
                () -> place.each(proxy -> {
                    proxy.refuse();
                    proxy.cutAll();
                }),
                () -> heal(place));
    }

    Struck halfOpen(RandomGenerator random) throws Exception {
        Place place = place(random);
        return Struck.during(
                place.name(),
                SILENCE,
                () -> place.each(proxy -> proxy.swallow(TcpProxy.Direction.BOTH)),
                () -> heal(place));
    }

    /** Every process loses some commits: the one is still under way when its connection breaks, the next is done and not told. */
    Struck cutCommit() throws Exception {
        List<TcpProxy> proxies = network.all();
        long before = cuts(proxies);
        long since = System.nanoTime();
        long lost = 0;
        Place all = new Place("all processes", proxies);
        try {
            all.each(proxy -> {
                for (int i = 0; i < COMMITS; i += 2) {
                    proxy.cutAfterCommitSent();
                    proxy.cutAfterCommitAnswered();
                }
            });
            long deadline = since + TimeUnit.MILLISECONDS.toNanos(COMMITS_MILLIS_MAX);
            do {
                TimeUnit.MILLISECONDS.sleep(20);
                lost = cuts(proxies) - before;
            } while (lost < (long) COMMITS * proxies.size() && System.nanoTime() - deadline < 0);
        } finally {
            heal(all);
        }
        return new Struck(lost + " commits of all processes", since, System.nanoTime());
    }

    private static long cuts(List<TcpProxy> proxies) {
        return proxies.stream().mapToLong(TcpProxy::cuts).sum();
    }

    private static void heal(Place place) {
        place.each(TcpProxy::heal);
    }
}
