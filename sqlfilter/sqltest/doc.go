// Package sqltest proves on real databases that the package sqlfilter returns exactly the rows that the check allows. It
// is a module of its own, so that nobody who uses Rolecall gets its drivers.
//
// PostgreSQL and MariaDB are started in temporary directories, from the servers found on this machine; where there is
// none its tests are skipped, or fail under ROLECALL_REQUIRE_ALL=1. SQLite needs nothing.
package sqltest
