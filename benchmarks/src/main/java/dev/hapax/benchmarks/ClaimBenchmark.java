package dev.hapax.benchmarks;

import dev.hapax.Key;
import dev.hapax.claim.Claim;
import dev.hapax.claim.ClaimResult;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;

/** A claim whose call does nothing, beside the two transactions that one writes by hand around a call: intent before, answer after. */
final class ClaimBenchmark implements Benchmark {

    private static final int[] THREADS = {1, 8, 32};
    private static final Duration LIMIT = Duration.ofMinutes(1);
    private static final byte[] ANSWER = "charge-4711".getBytes(StandardCharsets.UTF_8);

    @Override
    public String name() {
        return "claim";
    }

    @Override
    public String about() {
        return "a claim with a no-op call, beside two transactions by hand: intent before the call, answer after it";
    }

    @Override
    public void run(Plan plan, Report report) throws Exception {
        try (Lab lab = Lab.open(report)) {
            lab.execute(
                    "CREATE TABLE bench.intent (claimed_at timestamptz NOT NULL DEFAULT now(), settled_at timestamptz,"
                            + " scope int NOT NULL, producer int NOT NULL, key varchar(200) COLLATE \"C\" NOT NULL, state text NOT NULL,"
                            + " answer bytea, PRIMARY KEY (scope, producer, key))");
            for (int threads : THREADS) {
                for (boolean effects : new boolean[] {false, true}) {
                    lab.settle();
                    try (Crew crew = new Crew(threads)) {
                        part(plan, report, lab, crew, effects);
                    }
                }
            }
        }
    }

    private static void part(Plan plan, Report report, Lab lab, Crew crew, boolean effects) throws Exception {
        String suffix = crew.size() + (effects ? "-effect" : "");
        Cell hapax = new Side("hapax-" + suffix, lab, crew, effects) {
            @Override
            void operate(String id) {
                claim(id);
            }
        };
        Cell byHand = new Side("by-hand-" + suffix, lab, crew, effects) {
            @Override
            void operate(String id) throws SQLException {
                intend(id);
                settle(id);
            }
        };
        Duel duel = new Duel(plan, hapax, byHand).withCpuOf(lab).run();
        report.part(crew.size()
                + (crew.size() == 1 ? " thread" : " threads")
                + (effects ? ", settled with a one-row effect" : ""));
        report.figure("hapax, claims/s", duel.rate(hapax));
        report.figure("by hand, claims/s", duel.rate(byHand));
        report.figure("hapax / by hand", duel.ratio(hapax, byHand), Target.atLeast(0.8));
        report.figure("the same by CPU time", duel.cpuRatio(hapax, byHand));
        report.checked(
                "%,d and %,d operations settled, none left in flight", duel.operations(hapax), duel.operations(byHand));
    }

    /** One way to do it. */
    private abstract static class Side extends Cell {

        private final Lab lab;
        private final Crew crew;
        private final boolean effects;
        private final EffectCount count;
        private final long before;

        Side(String name, Lab lab, Crew crew, boolean effects) throws SQLException {
            super(name);
            this.lab = lab;
            this.crew = crew;
            this.effects = effects;
            this.count = new EffectCount(lab, name);
            this.before = settled(name, lab);
        }

        abstract void operate(String id) throws Exception;

        private static long settled(String name, Lab lab) throws SQLException {
            return name.startsWith("hapax")
                    ? lab.markersOf(lab.producer)
                    : lab.number("SELECT count(*) FROM bench.intent WHERE state = 'SETTLED'");
        }

        final void claim(String id) {
            Claim<String> claim = lab.hapax.claim(Key.of(Lab.SCOPE, id)).perform(call -> "charge-4711");
            if (effects) {
                claim.settling((answer, tx) -> Payments.effect(tx.connection(), name, id));
            }
            WrongRows.unless(
                    claim.settleWithin(LIMIT) instanceof ClaimResult.Settled<String>, "%s did not settle", name);
        }

        final void intend(String id) throws SQLException {
            try (Connection connection = lab.pool.getConnection();
                    PreparedStatement insert = connection.prepareStatement(
                            "INSERT INTO bench.intent (scope, producer, key, state) VALUES (?, ?, ?, 'CLAIMED')"
                                    + " ON CONFLICT DO NOTHING")) {
                bind(insert, 1, id);
                WrongRows.unless(insert.executeUpdate() == 1, "%s took a new key for a seen one", name);
            }
        }

        final void settle(String id) throws SQLException {
            try (Connection connection = lab.pool.getConnection()) {
                connection.setAutoCommit(!effects);
                try {
                    try (PreparedStatement update = connection.prepareStatement(
                            "UPDATE bench.intent SET state = 'SETTLED', answer = ?, settled_at = now()"
                                    + " WHERE scope = ? AND producer = ? AND key = ? AND state = 'CLAIMED'")) {
                        update.setBytes(1, ANSWER);
                        bind(update, 2, id);
                        WrongRows.unless(update.executeUpdate() == 1, "%s lost an intent", name);
                    }
                    if (effects) {
                        Payments.effect(connection, name, id);
                        connection.commit();
                    }
                } catch (Throwable failure) {
                    if (effects) {
                        connection.rollback();
                    }
                    throw failure;
                }
            }
        }

        private void bind(PreparedStatement statement, int from, String id) throws SQLException {
            statement.setInt(from, lab.scope);
            statement.setInt(from + 1, lab.byHand);
            statement.setString(from + 2, id);
        }

        @Override
        final Done run(Duration slice) throws Exception {
            return crew.run(slice, () -> {
                operate(Ids.next());
                return 1;
            });
        }

        @Override
        final void check(long operations) throws SQLException {
            WrongRows.unlessEqual(
                    "operations of '" + name + "' that are settled", operations, settled(name, lab) - before);
            WrongRows.unlessEqual("claims in flight", 0, lab.number("SELECT count(*) FROM hapax.claim"));
            if (effects) {
                count.check(operations);
            }
        }
    }
}
