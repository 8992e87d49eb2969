/** How many failed logins an address or a user may have, and what follows. */

export interface AttemptGuardSettings {
  /** Failures count for so long. */
  readonly failureSecondsMax: number;
  /** So many are answered at once. */
  readonly failuresBeforeDelayMax: number;
  /** The first answer that is delayed; each further one waits twice as long as the one before. */
  readonly delayMillisecondsMin: number;
  readonly delayMillisecondsMax: number;
  /** Answers that wait at one time; beyond, they are given at once. */
  readonly delayedAnswersMax: number;
  /** The failure that makes so many begins a ban. */
  readonly failuresBeforeBanMax: number;
  readonly banSeconds: number;
  /** Bans at one time; beyond, the oldest ends early. */
  readonly bansMax: number;
  /** A user is at home at an address for so long after it logged in from there: nobody else's failures keep it out. */
  readonly homeSecondsMax: number;
  /** Beyond, the one that was used longest ago is forgotten. */
  readonly homesMax: number;
  /** Addresses whose failures are remembered, and as many users, and users at home. */
  readonly subjectsMax: number;
}

export const defaultAttemptGuardSettings: AttemptGuardSettings = {
  failureSecondsMax: 600,
  failuresBeforeDelayMax: 3,
  delayMillisecondsMin: 250,
  delayMillisecondsMax: 5000,
  delayedAnswersMax: 10_000,
  failuresBeforeBanMax: 20,
  banSeconds: 600,
  bansMax: 10_000,
  homeSecondsMax: 30 * 24 * 3600,
  homesMax: 50_000,
  subjectsMax: 10_000,
};
