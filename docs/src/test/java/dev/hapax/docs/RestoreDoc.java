package dev.hapax.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hapax.Hapax;
import dev.hapax.control.History.Rewind;
import dev.hapax.once.Adoption.Adopted;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RestoreDoc {

    @TempDir
    Path directory;

    @Test
    void a_database_that_was_put_back_is_noticed_and_accepted() throws SQLException {
        String stateDirectory = directory.toString();
        List<String> log = new ArrayList<>();
        try (ShopDatabase shop = ShopDatabase.create()) {
            DataSource dataSource = shop.pool;
            // tag::witness[]
            Hapax hapax = Hapax.on(dataSource)
                    .name("checkout")
                    .historyWitness(Path.of(stateDirectory, "checkout-1.witness"))
                    .open();
            // end::witness[]
            hapax.close();
            shop.database.execute("UPDATE hapax.beat SET nonce = gen_random_uuid()");
            hapax = shop.service()
                    .historyWitness(Path.of(stateDirectory, "checkout-1.witness"))
                    .open();
            // tag::accept[]
            for (Rewind rewind : hapax.history().rewinds()) {
                log.add("lost after " + rewind.lostAfter() + " until " + rewind.lostUntil());
            }
            hapax.history().accept("restored to 09:12; sources have sent again", "on-call");
            // end::accept[]
            assertThat(log).hasSize(1);
            assertThat(hapax.control().list()).isEmpty();
            hapax.close();
        }
    }

    @Test
    void effects_without_markers_are_adopted() throws SQLException {
        try (ShopDatabase shop = ShopDatabase.create();
                Hapax hapax = shop.service().open()) {
            shop.database.execute(
                    "INSERT INTO orders VALUES ('" + ShopDatabase.newOrder("c").id() + "', 'c', 1)");
            // tag::adopt[]
            Adopted adopted = hapax.adopt("orders.place").from("SELECT id FROM orders");
            // end::adopt[]
            assertThat(adopted.marked()).isEqualTo(1);
        }
    }
}
