package dev.hapax.examples.demo;

import dev.hapax.examples.stage.Audit;
import dev.hapax.examples.stage.BankAudit;
import dev.hapax.examples.stage.Differences;
import dev.hapax.examples.stage.OrderFile;
import dev.hapax.examples.stage.Published;
import dev.hapax.examples.stage.Tally;
import org.jspecify.annotations.Nullable;

/**
 * How a run ended.
 *
 * @param orders what was ordered
 * @param audit what is in the database
 * @param elsewhere what is outside the shop's database
 * @param tally what the client saw
 * @param kills how many processes were killed
 * @param nanos from the first request until all was billed
 */
record DemoResult(OrderFile orders, Audit audit, Elsewhere elsewhere, Tally tally, int kills, long nanos) {

    /**
     * What is outside the shop's database.
     *
     * @param published what is on the topic; null if there is none
     * @param bank what is in the bank's books; null if nobody pays
     */
    record Elsewhere(
            @Nullable Published published, @Nullable BankAudit bank) {
        static final Elsewhere NOTHING = new Elsewhere(null, null);
    }

    @Nullable
    Published published() {
        return elsewhere.published();
    }

    @Nullable
    BankAudit bank() {
        return elsewhere.bank();
    }

    /** Everything agrees: rows and records with the file, and each answer to a line with its first. */
    boolean isExact() {
        BankAudit bank = bank();
        return audit.isExact()
                && (bank == null || bank.isExact())
                && differences().isEmpty();
    }

    String verdict() {
        return isExact() ? "exact" : "not exact";
    }

    Differences differences() {
        BankAudit bank = bank();
        Differences differences = Differences.of(orders, audit, published(), tally);
        return bank == null ? differences : differences.and(bank.differences());
    }

    double seconds() {
        return nanos / 1e9;
    }

    double linesPerSecond() {
        return orders.sums().lines() / seconds();
    }
}
