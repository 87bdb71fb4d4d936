package dev.hapax.examples.shop;

import dev.hapax.Hapax;
import dev.hapax.consume.MessageTransaction;
import dev.hapax.spi.Codec;
import java.sql.SQLException;
import java.time.InstantSource;
import javax.sql.DataSource;

/** Billing with Hapax: the balance, the ledger and the position in the log commit together, or not at all. */
final class HapaxBilling implements Billing {
    private final Hapax hapax;

    HapaxBilling(DataSource database, Codec codec, InstantSource clock) {
        this.hapax =
                Hapax.on(database).name("billing").codec(codec).clock(clock).open();
        // All billing processes share the messages; when one is killed, the others take over its part within seconds.
        hapax.consumer(BillingWorker.CONSUMER)
                .topic(OrderPlaced.TOPIC)
                .handle(OrderPlaced.class, HapaxBilling::bill)
                .start();
    }

    private static void bill(OrderPlaced placed, MessageTransaction tx) throws SQLException {
        ShopTables.addToBalance(tx.connection(), placed.customer(), placed.amount());
        ShopTables.insertLedger(tx.connection(), placed);
    }

    @Override
    public void close() {
        hapax.close();
    }
}
