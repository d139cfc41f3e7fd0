/** ink asks for these two when DEV=true; they do nothing. */
export default { initialize() {}, connectToDevTools() {} };
