import { accessSync, constants, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

export interface DirectoryOwner {
  pid: number;
  /** Null until its server accepts connections. */
  port: number | null;
}

export interface OwnedDirectory {
  announce(port: number): void;
  /** Throws when the directory was removed, and perhaps made anew by another. */
  check(): void;
  release(): void;
}

const sqliteBusy = 5;

/**
 * Null when another process, or another part of this one, owns the directory.
 *
 * Node has no flock, but SQLite takes the kernel's own file locks: no two get it, however close together they
 * start, and it dies with the process, whatever its pid is used for next. Warning: by POSIX, a process that
 * opens and closes this file by other means (a copy, say) loses its lock.
 */
export function ownDirectory(directory: string): OwnedDirectory | null {
  const lock = lockFile(join(directory, 'owner.lock'));
  if (!lock) return null;
  writeOwner(directory, { pid: process.pid, port: null });
  return {
    announce: port => writeOwner(directory, { pid: process.pid, port }),
    check() {
      if (readOwner(directory)?.pid === process.pid) return;
      throw new Error(`${directory} was removed, or another process has it now; restart this one`);
    },
    release() {
      if (!lock.isOpen) return;
      if (readOwner(directory)?.pid === process.pid) rmSync(ownerPath(directory));
      lock.close();
    },
  };
}

/** Who wrote last that it owns the directory; null when that process is gone, or has not written yet. */
export function findOwner(directory: string): DirectoryOwner | null {
  const owner = readOwner(directory);
  return owner && isAlive(owner.pid) ? owner : null;
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return hasCode(error, 'EPERM');
  }
}

export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

function lockFile(path: string): DatabaseSync | null {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path);
    accessSync(path, constants.W_OK); // SQLite opens what it may only read, and then locks nothing
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    return database;
  } catch (error) {
    database?.close();
    if (isBusy(error)) return null;
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${path} cannot be locked; run as the user who made it (${reason})`, { cause: error });
  }
}

function isBusy(error: unknown): boolean {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return false;
  return (error.errcode & 0xff) === sqliteBusy;
}

const ownerPath = (directory: string) => join(directory, 'owner.json');

function writeOwner(directory: string, owner: DirectoryOwner): void {
  const path = ownerPath(directory);
  writeFileSync(`${path}.new`, JSON.stringify(owner), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

function readOwner(directory: string): DirectoryOwner | null {
  try {
    return JSON.parse(readFileSync(ownerPath(directory), 'utf8'));
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  }
}
