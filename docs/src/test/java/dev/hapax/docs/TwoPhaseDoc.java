package dev.hapax.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hapax.Hapax;
import dev.hapax.Key;
import dev.hapax.once.Verdict;
import dev.hapax.testkit.EmbeddedDatabase;
import dev.hapax.testkit.TestDatabase;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import javax.sql.DataSource;
import javax.sql.XADataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class TwoPhaseDoc {

    private ShopDatabase shop;
    private TestDatabase archive;
    private Hapax hapax;

    @BeforeEach
    void start() throws SQLException {
        shop = ShopDatabase.create();
        archive = EmbeddedDatabase.shared().createDatabase();
        for (TestDatabase database : new TestDatabase[] {shop.database, archive}) {
            database.execute("CREATE TABLE stored (warehouse text PRIMARY KEY, pieces int NOT NULL);"
                    + "INSERT INTO stored VALUES ('east', 10), ('west', 10)");
        }
        hapax = open(shop.pool, archive.xaDataSource());
    }

    @AfterEach
    void close() {
        hapax.close();
        archive.close();
        shop.close();
    }

    // tag::open[]
    Hapax open(DataSource home, XADataSource west) { // PGXADataSource, for PostgreSQL
        return Hapax.on(home).name("warehouse").participant("west", west).open();
    }
    // end::open[]

    // tag::transfer[]
    Verdict transfer(String order, int pieces) throws SQLException {
        return hapax.twoPhase(Key.of("stock.transfer", order)).with("west").run((tx, branches) -> {
            add(tx.connection(), "east", -pieces);
            add(branches.connection("west"), "west", pieces);
        });
    }
    // end::transfer[]

    private static void add(Connection connection, String warehouse, int pieces) throws SQLException {
        try (PreparedStatement update =
                connection.prepareStatement("UPDATE stored SET pieces = pieces + ? WHERE warehouse = ?")) {
            update.setInt(1, pieces);
            update.setString(2, warehouse);
            update.executeUpdate();
        }
    }

    @Test
    void a_transfer_moves_pieces_once() throws SQLException {
        assertThat(transfer("A-17", 3)).isEqualTo(Verdict.APPLIED);
        assertThat(transfer("A-17", 3)).isEqualTo(Verdict.REPLAYED);
        assertThat(shop.database.queryLong("SELECT pieces FROM stored WHERE warehouse = 'east'"))
                .isEqualTo(7);
        assertThat(archive.queryLong("SELECT pieces FROM stored WHERE warehouse = 'west'"))
                .isEqualTo(13);
    }
}
