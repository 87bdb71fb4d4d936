package dev.hapax.benchmarks;

import java.util.ArrayList;
import java.util.List;

/** What one message adds to an operation, beside what an INSERT by hand adds. */
final class PublishBenchmark implements Benchmark {

    private static final int[] THREADS = {1, 8};

    @Override
    public String name() {
        return "publish";
    }

    @Override
    public String about() {
        return "what publishing one message adds to an operation, beside what an INSERT by hand adds";
    }

    @Override
    public void run(Plan plan, Report report) throws Exception {
        try (Lab lab = Lab.open(report)) {
            for (int threads : THREADS) {
                lab.settle();
                try (Crew crew = new Crew(threads)) {
                    part(plan, report, lab, crew);
                }
                lab.execute("TRUNCATE bench.effect, bench.outbox, " + lab.markers() + ", " + lab.log());
            }
        }
    }

    private static void part(Plan plan, Report report, Lab lab, Crew crew) throws Exception {
        Payments payments = new Payments(lab);
        Messages messages = new Messages(lab);
        Cell once = payments.cell("once", crew, lab.producer, payments::once);
        Cell publish = payments.cell("publish", crew, lab.producer, (side, id) -> messages.once(side, id) >= 0);
        Cell two = payments.cell("two", crew, lab.byHand, payments::twoInserts);
        Cell log = payments.cell("log", crew, lab.byHand, (side, id) -> messages.byHand(side, id, messages::log) >= 0);
        Cell outbox = payments.cell(
                "outbox", crew, lab.byHand, (side, id) -> messages.byHand(side, id, messages::outbox) >= 0);
        Duel duel = new Duel(plan, once, publish, two, log, outbox).run();
        report.part(crew.size() + (crew.size() == 1 ? " thread" : " threads"));
        report.figure("hapax: once, operations/s", duel.rate(once));
        report.figure("hapax: once + one message, operations/s", duel.rate(publish));
        report.figure("by hand: two INSERTs, operations/s", duel.rate(two));
        report.figure("by hand: and the log's INSERT, operations/s", duel.rate(log));
        report.figure("by hand: and an ordinary outbox's, operations/s", duel.rate(outbox));
        Spread hapax = added(duel, crew, publish, once);
        report.figure("a message adds, us (hapax)", hapax);
        report.figure("the same INSERT adds, us (by hand)", added(duel, crew, log, two));
        report.figure("an ordinary outbox's INSERT adds, us (by hand)", added(duel, crew, outbox, two));
        report.figure("added: hapax / the same INSERT", by(hapax, added(duel, crew, log, two)), Target.atMost(1.1));
        report.figure("added: hapax / an ordinary outbox", by(hapax, added(duel, crew, outbox, two)));
        WrongRows.unlessEqual(
                "messages in the log",
                duel.operations(publish) + duel.operations(log),
                lab.number("SELECT count(*) FROM hapax.log"));
        WrongRows.unlessEqual(
                "messages of hapax",
                duel.operations(publish),
                lab.number("SELECT count(DISTINCT id) FROM hapax.log WHERE producer = 'bench'"));
        WrongRows.unlessEqual(
                "rows of the outbox", duel.operations(outbox), lab.number("SELECT count(*) FROM bench.outbox"));
        report.checked("%,d messages, one for each operation, all ids different", duel.operations(publish));
    }

    /** Time of a thread for one operation, less the time without the message, in microseconds. */
    private static Spread added(Duel duel, Crew crew, Cell with, Cell without) {
        List<Double> micros = new ArrayList<>();
        List<Double> rates = duel.rate(with).values();
        List<Double> ratesWithout = duel.rate(without).values();
        for (int i = 0; i < rates.size(); i++) {
            micros.add(1e6 * crew.size() * (1 / rates.get(i) - 1 / ratesWithout.get(i)));
        }
        return Spread.of(micros);
    }

    private static Spread by(Spread above, Spread below) {
        List<Double> ratios = new ArrayList<>();
        for (int i = 0; i < above.values().size(); i++) {
            ratios.add(above.values().get(i) / below.values().get(i));
        }
        return Spread.of(ratios);
    }
}
