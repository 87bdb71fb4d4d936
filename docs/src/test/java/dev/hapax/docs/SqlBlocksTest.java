package dev.hapax.docs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** What the manual shows in SQL runs on a database with the tables of Hapax and of the shop. */
class SqlBlocksTest {

    private static final Pattern BLOCK = Pattern.compile("(?ms)^```sql\\n(.*?)^```$");

    @Test
    void every_sql_block_runs() throws SQLException {
        int[] blocks = {0};
        try (ShopDatabase shop = ShopDatabase.create();
                Connection connection = shop.database.dataSource().getConnection();
                Statement statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            for (Path page : Manual.pages()) {
                BLOCK.matcher(Manual.read(page)).results().map(m -> m.group(1)).forEach(sql -> {
                    blocks[0]++;
                    assertThatCode(() -> statement.execute(sql))
                            .as("%s: %s", page, sql)
                            .doesNotThrowAnyException();
                });
                connection.rollback();
            }
        }
        assertThat(blocks[0]).isPositive();
    }
}
