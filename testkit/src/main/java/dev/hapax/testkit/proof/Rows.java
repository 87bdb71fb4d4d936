package dev.hapax.testkit.proof;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Small questions to a database. */
final class Rows {

    private Rows() {}

    static Scenario.Counting counting(String sql) {
        return connection -> {
            Map<String, Long> counts = new HashMap<>();
            for (List<String> row : read(connection, sql)) {
                counts.merge(row.get(0), Long.parseLong(row.get(1)), Long::sum);
            }
            return counts;
        };
    }

    /** All rows, as text. */
    static List<List<String>> read(Connection connection, String sql, Object... parameters) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(sql)) {
            for (int i = 0; i < parameters.length; i++) {
                select.setObject(i + 1, parameters[i]);
            }
            List<List<String>> rows = new ArrayList<>();
            try (ResultSet row = select.executeQuery()) {
                int columns = row.getMetaData().getColumnCount();
                while (row.next()) {
                    List<String> values = new ArrayList<>(columns);
                    for (int i = 1; i <= columns; i++) {
                        values.add(String.valueOf(row.getString(i)));
                    }
                    rows.add(values);
                }
            }
            return rows;
        }
    }

    static long number(Connection connection, String sql, Object... parameters) throws SQLException {
        return Long.parseLong(read(connection, sql, parameters).getFirst().getFirst());
    }
}
