package dev.hapax.examples.gameday;

import dev.hapax.examples.stage.Progress;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.stream.IntStream;

/** Everything that was ordered lately comes again, many times over. */
final class Storm {
    private static final int TIMES = 10;
    private static final int LINES_MAX = 200;

    private final Customer customer;
    private final Progress progress;
    private final int rate;

    Storm(Customer customer, Progress progress, int rate) {
        this.customer = customer;
        this.progress = progress;
        this.rate = rate;
    }

    Struck redeliver(long seed) throws Exception {
        int begun = customer.traffic().begun();
        List<Integer> lines = new ArrayList<>();
        IntStream.range(Math.max(0, begun - LINES_MAX), begun)
                .forEach(line -> lines.addAll(Collections.nCopies(TIMES, line)));
        Collections.shuffle(lines, new Random(seed));
        int answered = progress.answered();
        long since = System.nanoTime();
        customer.askAgain(lines);
        long end = System.nanoTime();
        double fresh = (progress.answered() - answered) * 1e9 / (end - since) / rate;
        return new Struck(
                String.format(Locale.ROOT, "%,d repeats; fresh work went on at %.0f %%", lines.size(), 100 * fresh),
                since,
                end);
    }
}
