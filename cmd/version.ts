/** The version of this plugin, put in by the build; from source there is none. */
declare const BUILD_VERSION: string | undefined;

export const VERSION: string = typeof BUILD_VERSION === 'undefined' ? '0.0.0-source' : BUILD_VERSION;
