package dev.hapax.examples.demo;

import dev.hapax.examples.stage.Audit;
import dev.hapax.examples.stage.BankAudit;
import dev.hapax.examples.stage.Differences;
import dev.hapax.examples.stage.OrderFile;
import dev.hapax.examples.stage.Tally;
import org.jspecify.annotations.Nullable;

/**
 * How a run ended.
 *
 * @param orders what was ordered
 * @param audit what is in the database
 * @param bank what is in the bank's books; null if nobody pays
 * @param tally what the client saw
 * @param kills how many processes were killed
 * @param nanos from the first request until all was billed
 */
record DemoResult(OrderFile orders, Audit audit, @Nullable BankAudit bank, Tally tally, int kills, long nanos) {

    /** Everything agrees: rows with file, and each answer to a line with its first. */
    boolean isExact() {
        return audit.isExact()
                && (bank == null || bank.isExact())
                && differences().isEmpty();
    }

    String verdict() {
        return isExact() ? "exact" : "not exact";
    }

    Differences differences() {
        Differences differences = Differences.of(orders, audit, tally);
        return bank == null ? differences : differences.and(bank.differences());
    }

    double seconds() {
        return nanos / 1e9;
    }

    double linesPerSecond() {
        return orders.sums().lines() / seconds();
    }
}
