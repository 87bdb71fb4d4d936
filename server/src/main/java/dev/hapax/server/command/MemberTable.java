package dev.hapax.server.command;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/** Reads {@code hapax.member}: the processes that take part in a consumer. */
final class MemberTable {

    private MemberTable() {}

    /** A process that has lately said that it is there. */
    record Member(String consumer, String node) {}

    static List<Member> present(Connection connection) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(
                "SELECT consumer, node FROM hapax.member WHERE seen_until >= clock_timestamp() ORDER BY consumer, node")) {
            List<Member> members = new ArrayList<>();
            try (ResultSet row = select.executeQuery()) {
                while (row.next()) {
                    members.add(new Member(row.getString(1), row.getString(2)));
                }
            }
            return members;
        }
    }
}
