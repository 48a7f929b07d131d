-- Runs on every node at its first start, and is no transaction of the fleet's.
SET SESSION sql_log_bin = 0;
CREATE USER bellwether@'%' IDENTIFIED BY 'operator';
GRANT SELECT, SHOW VIEW, PROCESS, EVENT, RELOAD, REPLICATION CLIENT, REPLICATION SLAVE ON *.* TO bellwether@'%';
GRANT SYSTEM_VARIABLES_ADMIN, CONNECTION_ADMIN, REPLICATION_SLAVE_ADMIN, PERSIST_RO_VARIABLES_ADMIN, SYSTEM_USER, SET_ANY_DEFINER ON *.* TO bellwether@'%';
GRANT CREATE, INSERT, DELETE ON bellwether.* TO bellwether@'%';
GRANT INSERT ON mysql.plugin TO bellwether@'%';
CREATE USER app@'%' IDENTIFIED BY 'app';
CREATE DATABASE shop;
GRANT ALL ON shop.* TO app@'%';
