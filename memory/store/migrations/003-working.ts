/** Goals, tasks, plans, leases, incidents. */
export const working = "";
