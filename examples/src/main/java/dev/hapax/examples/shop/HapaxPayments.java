package dev.hapax.examples.shop;

import dev.hapax.Hapax;
import dev.hapax.Key;
import dev.hapax.Transaction;
import dev.hapax.claim.CallPolicy;
import dev.hapax.claim.ClaimKind;
import dev.hapax.claim.ClaimKindBuilder;
import dev.hapax.claim.Probe;
import dev.hapax.examples.bank.BankServer;
import dev.hapax.examples.shop.ShopTables.Invoice;
import dev.hapax.saga.Saga;
import java.net.ConnectException;
import java.time.Duration;

/**
 * What billing has the bank do, once per invoice: an invoice is charged by a claim; a cancellation is a saga, a note in our books and a refund at the bank. Both begin with the commit of the invoice's
 * last line, and go on whoever is killed.
 */
final class HapaxPayments implements AutoCloseable {
    private static final String CHARGE = "bank.charge";
    private static final String REFUND = "bank.refund";
    private static final String CANCELLATION = "orders.cancel";
    private static final String REFUNDED = "refunded";
    private static final Duration REFUNDED_WITHIN = Duration.ofDays(1);
    private static final Duration CALL_WITHIN = Duration.ofSeconds(3);
    private static final Duration MARGIN = Duration.ofSeconds(1);
    private static final int CALLS = 8;

    private final Hapax hapax;
    private final BankClient bank;
    private final ClaimKind<Payment, String> charges;
    private final ClaimKind<Payment, String> refunds;

    HapaxPayments(Hapax hapax, BankAddress address) {
        this.hapax = hapax;
        this.bank = new BankClient(address.uri());
        this.charges = kind(CHARGE, "charge", address)
                .settling((payment, reference, tx) ->
                        ShopTables.insertPayment(tx.connection(), payment, payment.amount(), reference))
                .start();
        this.refunds = kind(REFUND, "refund", address)
                .settling((payment, reference, tx) -> hapax.sagas()
                        .signal(tx, CANCELLATION, Key.of(CANCELLATION, payment.invoice()), REFUNDED, reference))
                .start();
        hapax.saga(CANCELLATION, Payment.class).run(this::cancel);
    }

    private ClaimKindBuilder<Payment, String> kind(String scope, String counter, BankAddress address) {
        ClaimKindBuilder<Payment, String> kind = hapax.claims(scope, Payment.class, String.class)
                .perform((payment, call) -> bank.book(counter, payment, call.idempotencyKey()))
                .policy(policy(address.honoursKeys()))
                .concurrency(CALLS);
        // A bank that honours keys is just called again; one that doesn't has to be asked first.
        return address.honoursKeys()
                ? kind
                : kind.probe((payment, call) ->
                        bank.find(call.idempotencyKey()).map(Probe::done).orElse(Probe.notDone()));
    }

    private static CallPolicy policy(boolean honoursKeys) {
        CallPolicy policy = honoursKeys
                ? CallPolicy.idempotent()
                // A call takes its time to the bank, and may lie there; until then "not done" means nothing.
                : CallPolicy.notIdempotent()
                        .arrivesWithin(CALL_WITHIN.plus(BankServer.BOOKS_WITHIN).plus(MARGIN));
        return policy.callWithin(CALL_WITHIN)
                .backoff(Duration.ofMillis(100), Duration.ofSeconds(2))
                .didNotHappen(failure ->
                        failure instanceof BankClient.ClosedException || failure instanceof ConnectException);
    }

    /** With the transaction that has billed the invoice's last line. */
    void settle(Invoice invoice, Transaction tx) {
        Payment payment = new Payment(
                invoice.number(), invoice.customer(), invoice.amount().abs());
        switch (invoice.amount().signum()) {
            case 1 -> charges.submit(tx, Key.of(CHARGE, invoice.number()), payment);
            case -1 -> hapax.sagas().start(tx, CANCELLATION, Key.of(CANCELLATION, invoice.number()), payment);
            default -> {} // nothing to pay
        }
    }

    private void cancel(Saga saga, Payment payment) {
        saga.step("credit", tx -> ShopTables.insertCredit(tx.connection(), payment))
                .undo(tx -> ShopTables.withdrawCredit(tx.connection(), payment))
                .run();
        saga.step("refund", tx -> refunds.submit(tx, Key.of(REFUND, payment.invoice()), payment))
                .run();
        String reference = saga.waitFor(REFUNDED, String.class, REFUNDED_WITHIN)
                .orElseThrow(() -> new IllegalStateException("the bank has not refunded in " + REFUNDED_WITHIN));
        saga.step(
                        "close",
                        tx -> ShopTables.insertPayment(
                                tx.connection(), payment, payment.amount().negate(), reference))
                .run();
    }

    @Override
    public void close() {
        charges.close();
        refunds.close();
        bank.close();
    }
}
