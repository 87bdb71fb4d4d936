package dev.hapax.examples.shop;

import dev.hapax.HapaxException;
import dev.hapax.once.Result;
import java.sql.SQLException;

/** What the shop does with an order line. Implementations are safe for use by many threads. */
interface Orders extends AutoCloseable {

    /**
     * Places an order line.
     *
     * @param key what the client calls this operation, in all its tries
     * @throws HapaxException as {@link dev.hapax.once.OnceValue#call}
     * @throws SQLException if a statement fails; nothing was changed then
     */
    Result<Receipt> place(String key, OrderLine order) throws SQLException;

    @Override
    void close();
}
