package dev.hapax.examples.shop;

import dev.hapax.Hapax;
import dev.hapax.consume.MessageTransaction;
import dev.hapax.spi.Codec;
import java.sql.SQLException;
import java.time.InstantSource;
import java.util.Optional;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** Billing with Hapax: the balance, the ledger and the position in the log commit together, or not at all. */
final class HapaxBilling implements Billing {
    private final Hapax hapax;
    private final @Nullable HapaxPayments payments;

    HapaxBilling(DataSource database, Codec codec, InstantSource clock, @Nullable BankAddress bank) {
        this.hapax =
                Hapax.on(database).name("billing").codec(codec).clock(clock).open();
        this.payments = bank == null ? null : new HapaxPayments(hapax, bank);
        // All billing processes share the messages; when one is killed, the others take over its part within seconds.
        hapax.consumer(BillingWorker.CONSUMER)
                .topic(OrderPlaced.TOPIC)
                .handle(OrderPlaced.class, this::bill)
                .start();
    }

    private void bill(OrderPlaced placed, MessageTransaction tx) throws SQLException {
        ShopTables.addToBalance(tx.connection(), placed.customer(), placed.amount());
        ShopTables.insertLedger(tx.connection(), placed);
        if (payments != null) {
            Optional<ShopTables.Invoice> invoice = ShopTables.addToInvoice(tx.connection(), placed);
            if (invoice.isPresent()) {
                payments.settle(invoice.get(), tx);
            }
        }
    }

    @Override
    public void close() {
        if (payments != null) {
            payments.close();
        }
        hapax.close();
    }
}
