package dev.hapax.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** The page of tables has each table with its columns, each view, function and domain. */
class SchemaReferenceTest {

    private static final Path PAGE = Manual.page("docs/reference/schema.md");

    private static Set<String> query(ShopDatabase shop, String sql) throws SQLException {
        Set<String> found = new TreeSet<>();
        try (Connection connection = shop.database.dataSource().getConnection();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            while (row.next()) {
                found.add(row.getString(1));
            }
        }
        return found;
    }

    private static Set<String> listed(String heading) {
        Set<String> names = new TreeSet<>();
        Manual.rows(Manual.section(PAGE, heading)).forEach(row -> names.add(row.name()));
        return names;
    }

    /** The classes of markers and outcomes are told once. */
    private static String told(String table) {
        return table.replaceFirst("^(marker|outcome)_\\d+$", "$1_N");
    }

    @Test
    void every_table_stands_there_with_its_columns() throws SQLException {
        try (ShopDatabase shop = ShopDatabase.create()) {
            Set<String> tables = query(
                    shop,
                    "SELECT relname FROM pg_class WHERE relnamespace = 'hapax'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition");
            Set<String> names = new TreeSet<>();
            tables.forEach(table -> names.add(told(table)));
            assertThat(listed("Tables")).isEqualTo(names);
            for (String table : tables) {
                assertThat(listed(told(table)))
                        .as(table)
                        .isEqualTo(query(
                                shop,
                                "SELECT column_name FROM information_schema.columns WHERE table_schema = 'hapax' AND table_name = '"
                                        + table + "'"));
            }
        }
    }

    @Test
    void so_does_whatever_else_is_made() throws SQLException {
        try (ShopDatabase shop = ShopDatabase.create()) {
            assertThat(listed("Functions and the rest")).isEqualTo(query(shop, """
                                    SELECT proname FROM pg_proc WHERE pronamespace = 'hapax'::regnamespace
                                    UNION SELECT typname FROM pg_type WHERE typnamespace = 'hapax'::regnamespace AND typtype = 'd'
                                    UNION SELECT regexp_replace(relname, '^lane_\\d+$', 'lane_N') FROM pg_class
                                        WHERE relnamespace = 'hapax'::regnamespace AND (relkind = 'v' OR relkind = 'S' AND relname LIKE 'lane%')"""));
        }
    }
}
