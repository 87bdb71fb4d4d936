package dev.hapax.testkit;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import javax.sql.DataSource;
import javax.sql.XADataSource;
import org.postgresql.ds.PGSimpleDataSource;
import org.postgresql.xa.PGXADataSource;

/**
 * One database of an {@link EmbeddedDatabase}: where it is, and connections to it.
 *
 * <p>Closing it closes the pools that it gave and, if it was made for one test class, drops it. Thread-safe.
 */
public final class TestDatabase implements AutoCloseable {
    private final EmbeddedDatabase server;
    private final String name;
    private final boolean dropped;
    private final Queue<HikariDataSource> pools = new ConcurrentLinkedQueue<>();

    TestDatabase(EmbeddedDatabase server, String name, boolean dropped) {
        this.server = server;
        this.name = name;
        this.dropped = dropped;
    }

    /** {@return the database's name} */
    public String name() {
        return name;
    }

    /** {@return the server that it lives in} */
    public EmbeddedDatabase server() {
        return server;
    }

    /** {@return the JDBC URL, for the superuser, without a password} */
    public String jdbcUrl() {
        return jdbcUrlAt(server.port());
    }

    /**
     * The JDBC URL by way of another port, such as a {@link TcpProxy}'s.
     *
     * @param port a port of the loopback interface
     * @return the URL, for the superuser
     */
    public String jdbcUrlAt(int port) {
        return "jdbc:postgresql://127.0.0.1:" + port + "/" + name + "?user=" + EmbeddedDatabase.USER;
    }

    /** {@return a data source that opens a new connection each time, as the superuser} */
    public DataSource dataSource() {
        return dataSource(server.port(), EmbeddedDatabase.USER);
    }

    /**
     * A data source without a pool, by way of another port.
     *
     * @param port a port of the loopback interface, such as a {@link TcpProxy}'s
     * @return the data source, as the superuser
     */
    public DataSource dataSourceAt(int port) {
        return dataSource(port, EmbeddedDatabase.USER);
    }

    /**
     * A data source without a pool, for another role.
     *
     * @param role an existing role that may log in
     * @return the data source
     */
    public DataSource dataSourceAs(String role) {
        return dataSource(server.port(), role);
    }

    /** {@return a data source of connections that take part in two-phase commits, without a pool, as the superuser} */
    public XADataSource xaDataSource() {
        return xaDataSourceAt(server.port());
    }

    /**
     * As {@link #xaDataSource()}, by way of another port.
     *
     * @param port a port of the loopback interface, such as a {@link TcpProxy}'s
     * @return the data source
     */
    public XADataSource xaDataSourceAt(int port) {
        PGXADataSource source = new PGXADataSource();
        source.setServerNames(new String[] {"127.0.0.1"});
        source.setPortNumbers(new int[] {port});
        source.setDatabaseName(name);
        source.setUser(EmbeddedDatabase.USER);
        return source;
    }

    private PGSimpleDataSource dataSource(int port, String role) {
        PGSimpleDataSource source = new PGSimpleDataSource();
        source.setServerNames(new String[] {"127.0.0.1"});
        source.setPortNumbers(new int[] {port});
        source.setDatabaseName(name);
        source.setUser(role);
        return source;
    }

    /**
     * A pool of connections; closed with this database at the latest.
     *
     * @param size its fixed number of connections, 1 or more
     * @return the pool
     */
    public HikariDataSource pooled(int size) {
        return pooledAt(server.port(), size);
    }

    /**
     * A pool of connections by way of another port; closed with this database at the latest.
     *
     * @param port a port of the loopback interface, such as a {@link TcpProxy}'s
     * @param size its fixed number of connections, 1 or more
     * @return the pool
     */
    public HikariDataSource pooledAt(int port, int size) {
        HikariConfig config = new HikariConfig();
        config.setDataSource(dataSource(port, EmbeddedDatabase.USER));
        config.setPoolName(name + "-pool");
        config.setMaximumPoolSize(size);
        config.setMinimumIdle(size);
        HikariDataSource pool = new HikariDataSource(config);
        pools.add(pool);
        return pool;
    }

    /**
     * Runs SQL and commits.
     *
     * @param sql one or more statements
     * @throws SQLException if a statement fails; then none has taken effect
     */
    public void execute(String sql) throws SQLException {
        try (Connection connection = dataSource().getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    /**
     * Asks for one number.
     *
     * @param sql a query of one row and one column
     * @return the number
     * @throws SQLException if the query fails or has no row
     */
    public long queryLong(String sql) throws SQLException {
        try (Connection connection = dataSource().getConnection();
                Statement statement = connection.createStatement();
                var rows = statement.executeQuery(sql)) {
            if (!rows.next()) {
                throw new SQLException("no row from: " + sql);
            }
            return rows.getLong(1);
        }
    }

    void closePools() {
        for (HikariDataSource pool = pools.poll(); pool != null; pool = pools.poll()) {
            pool.close();
        }
    }

    /** Closes its pools, and drops it if it was made by {@link EmbeddedDatabase#createDatabase()}. */
    @Override
    public void close() {
        closePools();
        if (dropped) {
            server.drop(name);
        }
    }

    @Override
    public String toString() {
        return jdbcUrl();
    }
}
