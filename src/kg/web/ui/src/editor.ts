// Not built yet.
export function mount(_place: HTMLElement): void {}
