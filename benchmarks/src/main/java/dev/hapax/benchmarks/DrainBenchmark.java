package dev.hapax.benchmarks;

import dev.hapax.consume.Consumer;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;

/** A million waiting messages to a handler that does nothing. */
final class DrainBenchmark implements Benchmark {

    private static final int MESSAGES = 1_000_000;
    private static final Duration LONGEST = Duration.ofMinutes(10);

    private final AtomicInteger readers = new AtomicInteger();

    @Override
    public String name() {
        return "drain";
    }

    @Override
    public String about() {
        return "1,000,000 waiting messages to a no-op handler, beside a 500-row poller by hand";
    }

    @Override
    public void run(Plan plan, Report report) throws Exception {
        int messages = (int) plan.rows(MESSAGES) / 16 * 16;
        try (Lab lab = Lab.open(report)) {
            fill(lab, messages);
            Cell usual = hapax(lab, "hapax", 2, messages);
            Cell one = hapax(lab, "hapax-1", 1, messages);
            Cell byHand = byHand(lab, messages);
            Duel duel =
                    new Duel(plan, usual, one, byHand).withCpuOf(lab).whole().run();
            report.part(String.format("%,d messages", messages));
            report.figure("hapax, messages/s", duel.rate(usual));
            report.figure("hapax with one thread, messages/s", duel.rate(one));
            report.figure("by hand, messages/s", duel.rate(byHand));
            report.figure("hapax / by hand", duel.ratio(usual, byHand), Target.atLeast(0.8));
            report.figure("the same by CPU time", duel.cpuRatio(usual, byHand));
            report.figure("hapax with one thread / by hand", duel.ratio(one, byHand));
            report.checked("every reader got all %,d, each once; positions at the end without gaps", messages);
        }
    }

    /** Made by the server itself, as producers would have left them. */
    static void fill(Lab lab, int messages) throws SQLException {
        fillLog(lab, messages);
        lab.execute("INSERT INTO bench.outbox (id, topic, message_key, body)"
                + " SELECT gen_random_uuid(), '" + Messages.TOPIC + "', 'customer-' || n % 1000,"
                + " int4send(n) || decode(repeat('00', 196), 'hex') FROM generate_series(0, " + (messages - 1) + ") n");
        lab.execute("VACUUM ANALYZE bench.outbox");
        lab.settle();
    }

    static void fillLog(Lab lab, int messages) throws SQLException {
        lab.execute("INSERT INTO " + lab.log()
                + " (day, lane, number, id, topic, message_key, type, scope, producer, key, body)"
                + " SELECT DATE '" + lab.day + "', n % 16, n / 16 + 1, gen_random_uuid(), '" + Messages.TOPIC
                + "', 'customer-' || n % 1000, 'bytes', '" + Lab.SCOPE + "', 'filler', 'k' || n,"
                + " int4send(n) || decode(repeat('00', 196), 'hex') FROM generate_series(0, " + (messages - 1) + ") n");
        for (int lane = 0; lane < 16; lane++) {
            lab.execute("SELECT setval('hapax.lane_" + lane + "', " + messages / 16 + ")");
        }
        lab.execute("VACUUM ANALYZE " + lab.log());
        lab.settle();
    }

    private Cell hapax(Lab lab, String name, int threads, int messages) {
        return new Cell(name) {
            private String last = "";

            @Override
            Done run(Duration slice) throws Exception {
                Seen seen = new Seen(messages);
                last = name + "-" + readers.incrementAndGet();
                long began = System.nanoTime();
                long nanos;
                try (Consumer consumer = Messages.consumer(lab.hapax, last, seen::add)
                        .concurrency(threads)
                        .start()) {
                    Waiting.until(LONGEST, last + " drains the log", () -> seen.count() >= messages);
                    nanos = System.nanoTime() - began;
                    Messages.checkAtTheEnd(lab, consumer.name());
                }
                WrongRows.unlessEqual("messages delivered twice", 0, seen.twice());
                return new Done(seen.count(), nanos);
            }

            @Override
            void check(long operations) throws Exception {
                Messages.checkAtTheEnd(lab, last);
            }
        };
    }

    private Cell byHand(Lab lab, int messages) {
        return new Cell("by hand") {
            @Override
            Done run(Duration slice) throws Exception {
                Seen seen = new Seen(messages);
                String reader = "by-hand-" + readers.incrementAndGet();
                long began = System.nanoTime();
                try (OutboxPoller poller =
                        new OutboxPoller(lab, reader, body -> seen.add(Messages.number(body))).start()) {
                    Waiting.until(LONGEST, reader + " drains the outbox", () -> seen.count() >= messages);
                    return new Done(seen.count(), System.nanoTime() - began);
                }
            }

            @Override
            void check(long operations) throws Exception {
                WrongRows.unlessEqual(
                        "messages in the outbox", messages, lab.number("SELECT count(*) FROM bench.outbox"));
            }
        };
    }
}
