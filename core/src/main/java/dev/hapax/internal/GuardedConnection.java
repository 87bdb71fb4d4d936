package dev.hapax.internal;

import java.sql.Array;
import java.sql.Blob;
import java.sql.CallableStatement;
import java.sql.Clob;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.NClob;
import java.sql.PreparedStatement;
import java.sql.SQLClientInfoException;
import java.sql.SQLException;
import java.sql.SQLWarning;
import java.sql.SQLXML;
import java.sql.Savepoint;
import java.sql.Statement;
import java.sql.Struct;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Executor;

/**
 * The connection that an effect sees. It does all that a connection does, but for ending the transaction: that would part the marker from
 * the effect. Savepoints are the effect's own business. Statements answer {@code getConnection()} with the driver's connection; ending the transaction
 * there, or by a COMMIT in SQL, is beyond what can be guarded.
 */
public final class GuardedConnection implements Connection {

    private final Connection delegate;

    public GuardedConnection(Connection delegate) {
        this.delegate = delegate;
    }

    private static IllegalStateException refused(String method) {
        return new IllegalStateException("an effect must not call " + method
                + "() on its transaction's connection: Hapax ends the transaction, so that marker and effect commit together."
                + " Return to commit; throw to roll back");
    }

    @Override
    public Statement createStatement() throws SQLException {
        return delegate.createStatement();
    }

    @Override
    public PreparedStatement prepareStatement(String a1) throws SQLException {
        return delegate.prepareStatement(a1);
    }

    @Override
    public CallableStatement prepareCall(String a1) throws SQLException {
        return delegate.prepareCall(a1);
    }

    @Override
    public String nativeSQL(String a1) throws SQLException {
        return delegate.nativeSQL(a1);
    }

    @Override
    public void setAutoCommit(boolean a1) throws SQLException {
        throw refused("setAutoCommit");
    }

    @Override
    public boolean getAutoCommit() throws SQLException {
        return delegate.getAutoCommit();
    }

    @Override
    public void commit() throws SQLException {
        throw refused("commit");
    }

    @Override
    public void rollback() throws SQLException {
        throw refused("rollback");
    }

    @Override
    public void close() throws SQLException {
        throw refused("close");
    }

    @Override
    public boolean isClosed() throws SQLException {
        return delegate.isClosed();
    }

    @Override
    public DatabaseMetaData getMetaData() throws SQLException {
        return delegate.getMetaData();
    }

    @Override
    public void setReadOnly(boolean a1) throws SQLException {
        throw refused("setReadOnly");
    }

    @Override
    public boolean isReadOnly() throws SQLException {
        return delegate.isReadOnly();
    }

    @Override
    public void setCatalog(String a1) throws SQLException {
        delegate.setCatalog(a1);
    }

    @Override
    public String getCatalog() throws SQLException {
        return delegate.getCatalog();
    }

    @Override
    public void setTransactionIsolation(int a1) throws SQLException {
        throw refused("setTransactionIsolation");
    }

    @Override
    public int getTransactionIsolation() throws SQLException {
        return delegate.getTransactionIsolation();
    }

    @Override
    public SQLWarning getWarnings() throws SQLException {
        return delegate.getWarnings();
    }

    @Override
    public void clearWarnings() throws SQLException {
        delegate.clearWarnings();
    }

    @Override
    public Statement createStatement(int a1, int a2) throws SQLException {
        return delegate.createStatement(a1, a2);
    }

    @Override
    public PreparedStatement prepareStatement(String a1, int a2, int a3) throws SQLException {
        return delegate.prepareStatement(a1, a2, a3);
    }

    @Override
    public CallableStatement prepareCall(String a1, int a2, int a3) throws SQLException {
        return delegate.prepareCall(a1, a2, a3);
    }

    @Override
    public Map<String, Class<?>> getTypeMap() throws SQLException {
        return delegate.getTypeMap();
    }

    @Override
    public void setTypeMap(Map<String, Class<?>> map) throws SQLException {
        delegate.setTypeMap(map);
    }

    @Override
    public void setHoldability(int a1) throws SQLException {
        delegate.setHoldability(a1);
    }

    @Override
    public int getHoldability() throws SQLException {
        return delegate.getHoldability();
    }

    @Override
    public Savepoint setSavepoint() throws SQLException {
        return delegate.setSavepoint();
    }

    @Override
    public Savepoint setSavepoint(String a1) throws SQLException {
        return delegate.setSavepoint(a1);
    }

    @Override
    public void rollback(Savepoint a1) throws SQLException {
        delegate.rollback(a1);
    }

    @Override
    public void releaseSavepoint(Savepoint a1) throws SQLException {
        delegate.releaseSavepoint(a1);
    }

    @Override
    public Statement createStatement(int a1, int a2, int a3) throws SQLException {
        return delegate.createStatement(a1, a2, a3);
    }

    @Override
    public PreparedStatement prepareStatement(String a1, int a2, int a3, int a4) throws SQLException {
        return delegate.prepareStatement(a1, a2, a3, a4);
    }

    @Override
    public CallableStatement prepareCall(String a1, int a2, int a3, int a4) throws SQLException {
        return delegate.prepareCall(a1, a2, a3, a4);
    }

    @Override
    public PreparedStatement prepareStatement(String a1, int a2) throws SQLException {
        return delegate.prepareStatement(a1, a2);
    }

    @Override
    public PreparedStatement prepareStatement(String a1, int[] a2) throws SQLException {
        return delegate.prepareStatement(a1, a2);
    }

    @Override
    public PreparedStatement prepareStatement(String a1, String[] a2) throws SQLException {
        return delegate.prepareStatement(a1, a2);
    }

    @Override
    public Clob createClob() throws SQLException {
        return delegate.createClob();
    }

    @Override
    public Blob createBlob() throws SQLException {
        return delegate.createBlob();
    }

    @Override
    public NClob createNClob() throws SQLException {
        return delegate.createNClob();
    }

    @Override
    public SQLXML createSQLXML() throws SQLException {
        return delegate.createSQLXML();
    }

    @Override
    public boolean isValid(int a1) throws SQLException {
        return delegate.isValid(a1);
    }

    @Override
    public void setClientInfo(String a1, String a2) throws SQLClientInfoException {
        delegate.setClientInfo(a1, a2);
    }

    @Override
    public void setClientInfo(Properties a1) throws SQLClientInfoException {
        delegate.setClientInfo(a1);
    }

    @Override
    public String getClientInfo(String a1) throws SQLException {
        return delegate.getClientInfo(a1);
    }

    @Override
    public Properties getClientInfo() throws SQLException {
        return delegate.getClientInfo();
    }

    @Override
    public Array createArrayOf(String a1, Object[] a2) throws SQLException {
        return delegate.createArrayOf(a1, a2);
    }

    @Override
    public Struct createStruct(String a1, Object[] a2) throws SQLException {
        return delegate.createStruct(a1, a2);
    }

    @Override
    public void setSchema(String a1) throws SQLException {
        delegate.setSchema(a1);
    }

    @Override
    public String getSchema() throws SQLException {
        return delegate.getSchema();
    }

    @Override
    public void abort(Executor a1) throws SQLException {
        throw refused("abort");
    }

    @Override
    public void setNetworkTimeout(Executor a1, int a2) throws SQLException {
        delegate.setNetworkTimeout(a1, a2);
    }

    @Override
    public int getNetworkTimeout() throws SQLException {
        return delegate.getNetworkTimeout();
    }

    @Override
    public <T> T unwrap(Class<T> a1) throws SQLException {
        return a1.isInstance(this) ? a1.cast(this) : delegate.unwrap(a1);
    }

    @Override
    public boolean isWrapperFor(Class<?> a1) throws SQLException {
        return a1.isInstance(this) || delegate.isWrapperFor(a1);
    }
}
